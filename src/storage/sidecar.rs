//! Sidecars: `<package>.sha256`, holding the package's SHA-256 as 64 hexadecimal digits and nothing else, as the Python
//! server wrote and reads them.
//!
//! Invariants: a sidecar counts only while neither its modification nor its change time is older than its package's; a
//! checksum that is read belongs to the very file whose state was given.
//!
//! Source: the project's contract, section 4.

use super::directory::{Directory, Entry, FileState, state_of};
use super::error::{Result, errno, failed};
use super::lock::DirLock;
use super::name::PackageName;
use crate::clock;
use crate::http::digest::Sha256;
use std::io::{Read, Write};

/// More than this is no sidecar: digits and a line's end.
const SIDECAR_BYTES_MAX: usize = 128;

/// The checksum of the package in this state, if its sidecar counts. Looks at the package once more after reading: a
/// sidecar and a package opened one after the other could be of two versions.
pub fn read(directory: &Directory, name: &PackageName, package: &FileState) -> Option<Sha256> {
    let file = directory.open_file(&name.sidecar()).ok()?;
    let Ok(Entry::File(sidecar)) = state_of(&file) else {
        return None;
    };
    if sidecar.modified < package.modified || sidecar.changed < package.changed {
        return None;
    }
    let mut text = Vec::with_capacity(SIDECAR_BYTES_MAX);
    file.take(SIDECAR_BYTES_MAX as u64)
        .read_to_end(&mut text)
        .ok()?;
    let sha256 = Sha256::from_hex(text.trim_ascii())?;
    let now = directory.entry(name.as_str()).ok()?;
    (now == Some(Entry::File(*package))).then_some(sha256)
}

/// Removes the sidecar. What is no file never counted as one, and stays.
pub fn remove(lock: &DirLock, name: &PackageName) -> Result<()> {
    let directory = lock.directory();
    match directory.remove(&name.sidecar()) {
        Err(_) if directory.entry(&name.sidecar())? == Some(Entry::Other) => Ok(()),
        removed => removed.map(drop),
    }
}

/// Writes the sidecar anew. A crash in between leaves one that does not count.
pub fn write(lock: &DirLock, name: &PackageName, sha256: Sha256) -> Result<()> {
    let directory = lock.directory();
    let sidecar = name.sidecar();
    directory.remove(&sidecar)?;
    let written = directory
        .create_file(&sidecar)
        .map_err(std::io::Error::from)
        .and_then(|mut file| {
            file.write_all(sha256.hex().as_bytes())?;
            // A package's time is set to the nanosecond; the file system's own clock would be behind it by a tick.
            file.set_modified(clock::wall_now())
        });
    written.map_err(|error| failed("write the sidecar", directory.path(&sidecar))(errno(&error)))
}
