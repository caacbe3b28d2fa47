//! Sidecars: `<package>.sha256`, holding the package's SHA-256 as 64 hexadecimal digits and nothing else, as the Python
//! server wrote and reads them.
//!
//! Invariants: a sidecar counts only while neither its modification nor its change time is older than its package's; a
//! checksum that is read belongs to the very file whose state was given.
//!
//! Source: the project's contract, section 4.

use super::directory::{Directory, Entry, FileState, state_of};
use super::error::{Result, failed};
use super::lock::DirLock;
use super::name::PackageName;
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

/// Writes the sidecar anew. A crash in between leaves one that does not count.
pub fn write(lock: &DirLock, name: &PackageName, sha256: Sha256) -> Result<()> {
    let directory = lock.directory();
    let sidecar = name.sidecar();
    directory.remove(&sidecar)?;
    directory
        .create_file(&sidecar)
        .and_then(|mut file| {
            file.write_all(sha256.hex().as_bytes()).map_err(|error| {
                rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO)
            })
        })
        .map_err(failed("write the sidecar", directory.path(&sidecar)))
}
