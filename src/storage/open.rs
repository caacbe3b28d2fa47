//! Opening a package for a download.
//!
//! Invariant: size, times, checksum and bytes of an answer belong to one open file, whatever happens to its name
//! meanwhile.

use super::Store;
use super::directory::{Directory, Entry, FileState, open_file, state_of};
use super::error::{Result, StorageError, failed};
use super::name::PackageName;
use super::sidecar;
use crate::checksum::Sha256;
use rustix::io::Errno;
use std::fs::File;

/// A package's file, opened, and what is known of it.
#[derive(Debug)]
pub struct OpenPackage {
    /// The file.
    pub file: File,
    /// Its state when it was opened.
    pub state: FileState,
    /// Its checksum, unless it is still to be computed.
    pub sha256: Option<Sha256>,
}

pub(super) fn open(store: &Store, name: &PackageName) -> Result<OpenPackage> {
    let path = store.path.join(name.as_str());
    let file = open_file(&path).map_err(|error| match error {
        // A link is LOOP, a socket NXIO. A directory that is gone has no packages either, but must not say so.
        Errno::LOOP | Errno::NXIO => StorageError::NotFound,
        Errno::NOENT | Errno::NOTDIR if store.path.is_dir() => StorageError::NotFound,
        Errno::NOENT | Errno::NOTDIR => match failed("open the directory", &store.path)(error) {
            StorageError::Failed(failure) => StorageError::Unavailable(failure),
            other => other,
        },
        error => failed("open", &path)(error),
    })?;
    let Entry::File(state) = state_of(&file).map_err(failed("look at", &path))? else {
        return Err(StorageError::NotFound);
    };
    let listing = store.cache.last();
    let sha256 = match listing.get(name.as_str()) {
        Some(listed) if listed.state == state && listed.sha256.is_some() => listed.sha256,
        _ => sidecar::read(&Directory::open(&store.path)?, name, &state).ok(),
    };
    Ok(OpenPackage {
        file,
        state,
        sha256,
    })
}
