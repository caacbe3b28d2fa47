//! Recomputes missing checksums, off the request path.
//!
//! Invariants: a checksum is entered only if the file did not change while it was read; a sidecar is written only under
//! the directory's lock and only for the very file that was read. Where a sidecar cannot be written, the checksum is
//! still known to this process.

use super::Store;
use super::directory::{Directory, Entry, FileState, state_of};
use super::listing::Package;
use super::sidecar;
use crate::http::digest::Sha256;
use crate::limits::{HASH_BUFFER_BYTES, HEAL_PUBLISH_INTERVAL};
use sha2::Digest;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// Computes the checksum of every listed package that has none; asks `go_on` before each.
pub fn heal(store: &Store, mut go_on: impl FnMut() -> bool) {
    let listing = store.cache.last();
    let mut healed: Vec<Package> = Vec::new();
    let mut published_at = store.clock.now();
    for package in listing.packages() {
        if package.sha256.is_some() {
            continue;
        }
        if !go_on() {
            break;
        }
        healed.extend(heal_one(store, package));
        if store.clock.now().duration_since(published_at) >= HEAL_PUBLISH_INTERVAL {
            store.cache.add_checksums(&std::mem::take(&mut healed));
            published_at = store.clock.now();
        }
    }
    if !healed.is_empty() {
        store.cache.add_checksums(&healed);
    }
}

fn heal_one(store: &Store, package: &Arc<Package>) -> Option<Package> {
    let directory = Directory::open(&store.path).ok()?;
    // Listed while it was being published: its sidecar has come since.
    let known = sidecar::read(&directory, &package.name, &package.state).ok();
    let sha256 = known.or_else(|| recompute(store, &directory, package))?;
    Some(Package {
        sha256: Some(sha256),
        ..Package::clone(package)
    })
}

fn recompute(store: &Store, directory: &Directory, package: &Package) -> Option<Sha256> {
    let Package { name, state, .. } = package;
    let file = directory.open_file(name.as_str()).ok()?;
    // Read while it changed, or replaced since the listing: the next listing asks again.
    let sha256 = checksum(&file, state, &mut |_| {}).ok()??;
    let written = store.lock.acquire().and_then(|lock| {
        store
            .cache
            .unlisted(&lock, || sidecar::write_missing(&lock, name, state, sha256))
    });
    if let Err(error) = written {
        log::warn!(package = name.as_str(), error:% = error; "a recomputed checksum cannot be written");
    }
    log::info!(package = name.as_str(), sha256:% = sha256.hex(); "checksum recomputed");
    Some(sha256)
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
