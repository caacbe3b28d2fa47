//! Sidecars: files `<package>.sha256` with the package's SHA-256 as 64 hexadecimal digits and
//! nothing else, which the Python server writes and reads too.
//!
//! Invariants: a sidecar counts only while neither its modification nor its change time is older
//! than its package's. A checksum that [`read`] returns belongs to the file of the given state.
//!
//! Source: docs/contract.md, section 4.

use super::lock::DirLock;
use crate::checksum::Sha256;
use crate::clock;
use crate::storage::directory::{Directory, Entry, state_of};
use crate::storage::error::{Result, errno, failed};
use crate::storage::name::PackageName;
use crate::storage::package::PackageState;
use crate::storage::temporary::TemporaryFile;
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::SystemTime;

/// Digits and a line's end fit; a longer file is not a sidecar.
const SIDECAR_BYTES_MAX: usize = 128;

/// Why a sidecar does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Missing,
    /// Older than its package.
    Stale,
    /// Its content is not 64 hexadecimal digits.
    Malformed,
    /// Something other than a regular file has its name.
    NotAFile,
    Unreadable(Errno),
    /// The package is in another state now.
    PackageChanged,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("the checksum is missing"),
            Self::Stale => f.write_str("the checksum is older than the package"),
            Self::Malformed => f.write_str("the checksum is not 64 hexadecimal digits"),
            Self::NotAFile => f.write_str("the checksum file is not a regular file"),
            Self::Unreadable(error) => write!(f, "the checksum cannot be read: {error}"),
            Self::PackageChanged => f.write_str("the package changes while it is read"),
        }
    }
}

/// The checksum of the package in this state, if its sidecar counts. The package's state is checked
/// again after reading: a sidecar and a package opened in turn could be of two versions.
pub fn read(
    directory: &Directory,
    name: &PackageName,
    package: &PackageState,
) -> std::result::Result<Sha256, Fault> {
    let file = directory
        .open_file(&name.sidecar())
        .map_err(|error| match error {
            Errno::NOENT => Fault::Missing,
            Errno::LOOP | Errno::NXIO => Fault::NotAFile,
            error => Fault::Unreadable(error),
        })?;
    let Entry::File(sidecar) = state_of(&file).map_err(Fault::Unreadable)? else {
        return Err(Fault::NotAFile);
    };
    if sidecar.modified < package.modified || sidecar.changed < package.changed {
        return Err(Fault::Stale);
    }
    let mut text = Vec::with_capacity(SIDECAR_BYTES_MAX);
    file.take(SIDECAR_BYTES_MAX as u64)
        .read_to_end(&mut text)
        .map_err(|error| Fault::Unreadable(errno(&error)))?;
    let sha256 = Sha256::from_hex(text.trim_ascii()).ok_or(Fault::Malformed)?;
    match directory.entry(name.as_str()) {
        Ok(Some(Entry::File(now))) if now == *package => Ok(sha256),
        _ => Err(Fault::PackageChanged),
    }
}

/// Whether the sidecar of this name would count beside another file: its package was published
/// after the file was complete, or by a server whose clock is ahead.
pub fn would_count(directory: &Directory, name: &PackageName, file: &File) -> Result<bool> {
    let Some(Entry::File(sidecar)) = directory.entry(&name.sidecar())? else {
        return Ok(false);
    };
    match state_of(file).map_err(failed("look at", directory.path(name.as_str())))? {
        Entry::File(file) => Ok(sidecar.modified >= file.modified),
        Entry::Other => Ok(false),
    }
}

/// Gives a package in this state its sidecar, unless the package changed or has a sidecar that
/// counts: replacing one removes it for a moment, which readers would notice.
pub fn place_missing(
    lock: &DirLock,
    name: &PackageName,
    package: &PackageState,
    sidecar: TemporaryFile,
) -> Result<()> {
    let directory = lock.directory();
    let unchanged = directory.entry(name.as_str())? == Some(Entry::File(*package));
    if unchanged && read(directory, name, package).is_err() {
        remove(lock, name)?;
        place(lock, name, sidecar)?;
    }
    Ok(())
}

/// Removes the sidecar. Something other than a regular file never counted, and stays.
pub fn remove(lock: &DirLock, name: &PackageName) -> Result<()> {
    let directory = lock.directory();
    match directory.remove(&name.sidecar()) {
        Err(_) if directory.entry(&name.sidecar())? == Some(Entry::Other) => Ok(()),
        removed => removed.map(drop),
    }
}

/// Writes a sidecar that has no name yet. `modified`: the time of its package, which the sidecar
/// must not be older than, even where it lies in the future.
///
/// It is not synced: what a loss of power leaves of it is all of it, or a beginning, or zeros, and
/// only 64 digits count.
pub fn prepare(path: &Path, sha256: Sha256, modified: SystemTime) -> Result<TemporaryFile> {
    let mut temporary = TemporaryFile::create(path)?;
    let file = &mut temporary.file;
    file.write_all(sha256.hex().as_bytes())
        .and_then(|()| file.set_modified(modified.max(clock::wall_now())))
        .map_err(|error| failed("write a sidecar in", path)(errno(&error)))?;
    Ok(temporary)
}

/// Gives a prepared sidecar its name, which must be free.
pub fn place(lock: &DirLock, name: &PackageName, mut sidecar: TemporaryFile) -> Result<()> {
    let file_name = name.sidecar();
    let directory = lock.directory();
    sidecar
        .place_new(directory, &file_name)
        .map_err(failed("write the sidecar", directory.path(&file_name)))
}
