//! Opening a package for a download.
//!
//! Invariant: size, times, checksum and bytes of one answer belong to one open file, whatever
//! happens to its name meanwhile.

use super::cache::ListingCache;
use super::sidecar;
use crate::checksum::Sha256;
use crate::storage::directory::{Directory, Entry, open_with_state, state_at};
use crate::storage::error::{Result, StorageError, failed, unavailable};
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::open::{OpenPackage, Source};
use crate::storage::package::PackageState;
use rustix::io::Errno;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Opens a package of the directory at `path`. The cache spares reading the sidecar, and opening
/// the file again.
pub fn open(path: &Path, cache: &ListingCache, name: &PackageName) -> Result<OpenPackage> {
    let listing = &*cache.last();
    let open_files = cache.open_files();
    let file_path = path.join(name.as_str());
    if let Some((state, file)) = open_files.get(name)
        && matches!(state_at(&file_path), Ok(Entry::File(now)) if now == state)
    {
        return with_checksum(path, listing, name, state, file);
    }
    let (file, entry) = open_with_state(&file_path).map_err(|error| match error {
        // A link gives LOOP, a socket NXIO.
        Errno::LOOP | Errno::NXIO => StorageError::NotFound,
        Errno::NOENT | Errno::NOTDIR if path.is_dir() => StorageError::NotFound,
        // The directory itself is missing, which must not read as "no such package".
        Errno::NOENT | Errno::NOTDIR => unavailable("open the directory", path)(error),
        error => failed("open", &file_path)(error),
    })?;
    let Entry::File(state) = entry else {
        return Err(StorageError::NotFound);
    };
    let file = Arc::new(file);
    open_files.keep(name, state, &file);
    with_checksum(path, listing, name, state, file)
}

fn with_checksum(
    path: &Path,
    listing: &Listing,
    name: &PackageName,
    state: PackageState,
    file: Arc<File>,
) -> Result<OpenPackage> {
    let sha256 = match listed_checksum(listing, name, &state) {
        None => sidecar::read(&Directory::open(path)?, name, &state).ok(),
        known => known,
    };
    Ok(OpenPackage {
        state,
        sha256,
        source: Source::File(file),
    })
}

/// The checksum of a package in this state, from the listing or its sidecar.
pub fn checksum(
    directory: &Directory,
    listing: &Listing,
    name: &PackageName,
    state: &PackageState,
) -> Option<Sha256> {
    listed_checksum(listing, name, state).or_else(|| sidecar::read(directory, name, state).ok())
}

fn listed_checksum(listing: &Listing, name: &PackageName, state: &PackageState) -> Option<Sha256> {
    let listed = listing.get(name.as_str())?;
    listed.sha256.filter(|_| listed.state == *state)
}
