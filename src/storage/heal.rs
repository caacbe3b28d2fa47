//! Recomputes missing checksums, off the request path.
//!
//! Invariants: a checksum is entered only if the file did not change while it was read; a sidecar is written only under
//! the directory's lock and only for the very file that was read. Where a sidecar cannot be written, the checksum is
//! still known to this process, and the sidecar is owed until it can be.

use super::Store;
use super::directory::{Directory, Entry, FileState, state_of};
use super::error::{Result, errno, failed};
use super::listing::Package;
use super::sidecar;
use crate::checksum::Sha256;
use crate::limits::{HASH_BUFFER_BYTES, HEAL_PUBLISH_INTERVAL};
use rustix::io::Errno;
use sha2::Digest;
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sidecars that could not be written when they were due; they are tried again in every round.
#[derive(Debug, Default)]
pub struct OwedSidecars(Mutex<Vec<Arc<Package>>>);

impl OwedSidecars {
    fn packages(&self) -> MutexGuard<'_, Vec<Arc<Package>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds packages whose sidecar is owed.
    pub fn extend(&self, packages: impl IntoIterator<Item = Arc<Package>>) {
        self.packages().extend(packages);
    }

    /// Writes them until one cannot be written, which comes last the next time: what stands in its way often stands in the
    /// way of all, and each may wait for the lock. Those whose package has changed since are owed no more.
    fn pay(&self, store: &Store) {
        let mut owed = std::mem::take(&mut *self.packages());
        let is_paid = |package: &&Arc<Package>| write_sidecar(store, package).is_ok();
        let paid = owed.iter().take_while(is_paid).count();
        owed.drain(..paid);
        if !owed.is_empty() {
            owed.rotate_left(1);
        }
        self.extend(owed);
    }
}

/// Computes the checksum of every listed package that has none; asks `go_on` before each. One that cannot be read does not
/// keep the others from theirs.
pub fn heal(store: &Store, mut go_on: impl FnMut() -> bool) -> Result<()> {
    store.owed.pay(store);
    let listing = store.cache.last();
    let mut healed: Vec<Package> = Vec::new();
    let mut outcome = Ok(());
    let mut published_at = store.clock.now();
    for package in listing.packages() {
        if package.sha256.is_some() {
            continue;
        }
        if !go_on() {
            break;
        }
        match heal_one(store, package) {
            Ok(known) => healed.extend(known),
            Err(error) => outcome = outcome.and(Err(error)),
        }
        if store.clock.now().duration_since(published_at) >= HEAL_PUBLISH_INTERVAL {
            store.cache.add_checksums(&std::mem::take(&mut healed));
            published_at = store.clock.now();
        }
    }
    if !healed.is_empty() {
        store.cache.add_checksums(&healed);
    }
    outcome
}

fn heal_one(store: &Store, package: &Arc<Package>) -> Result<Option<Package>> {
    let directory = Directory::open(&store.path)?;
    // Listed while it was being published: its sidecar has come since.
    match sidecar::read(&directory, &package.name, &package.state) {
        Ok(sha256) => Ok(Some(with_checksum(package, sha256))),
        Err(_) => recompute(store, &directory, package),
    }
}

fn with_checksum(package: &Package, sha256: Sha256) -> Package {
    Package {
        sha256: Some(sha256),
        ..package.clone()
    }
}

/// `None` for a package that was deleted, or changed while it was read: the next listing asks again.
fn recompute(store: &Store, directory: &Directory, package: &Package) -> Result<Option<Package>> {
    let name = package.name.as_str();
    let file = match directory.open_file(name) {
        Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
        file => file.map_err(failed("open", directory.path(name)))?,
    };
    let sha256 = checksum(&file, &package.state, &mut |_| {})
        .map_err(|error| failed("read", directory.path(name))(errno(&error)))?;
    let Some(sha256) = sha256 else {
        return Ok(None);
    };
    let package = with_checksum(package, sha256);
    if let Err(error) = write_sidecar(store, &package) {
        log::warn!(package = name, error:% = error; "a recomputed checksum is written later");
        store.owed.extend([Arc::new(package.clone())]);
    }
    log::info!(package = name, sha256:% = sha256.hex(); "checksum recomputed");
    Ok(Some(package))
}

/// Writes what is known of the package, unless it has changed since or has a sidecar.
fn write_sidecar(store: &Store, package: &Package) -> Result<()> {
    let Some(sha256) = package.sha256 else {
        return Ok(());
    };
    let lock = store.lock.acquire()?;
    store.cache.unlisted(&lock, || {
        sidecar::write_missing(&lock, &package.name, &package.state, sha256)
    })
}

/// The checksum of a file, unless it is in another state than this once it was read. `progress` is told of bytes as they
/// are read.
pub fn checksum(
    mut file: &File,
    state: &FileState,
    progress: &mut dyn FnMut(u64),
) -> std::io::Result<Option<Sha256>> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => {
                hasher.update(&buffer[..length]);
                progress(length as u64);
            }
        }
    }
    let unchanged = state_of(file)? == Entry::File(*state);
    Ok(unchanged.then(|| Sha256::new(hasher.finalize())))
}
