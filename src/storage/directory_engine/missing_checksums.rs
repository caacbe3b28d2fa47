//! Computes missing checksums, off the request path.
//!
//! Invariants: a checksum counts only if the file did not change while it was read. A sidecar is
//! written only under the directory's lock and only for the very file that was read. Where a
//! sidecar cannot be written, this process still knows the checksum and owes the sidecar until it
//! can be written.

use super::cache::ListingCache;
use super::changes::ChangeQueue;
use super::owed::OwedSidecars;
use super::sidecar;
use crate::checksum::Sha256;
use crate::clock::{self, Clock};
use crate::limits::{CHECKSUMS_ENTRY_INTERVAL, HASH_BUFFER_BYTES, QUIET_TIME};
use crate::storage::directory::{Directory, Entry, state_of};
use crate::storage::error::{Result, errno, failed};
use crate::storage::package::{Package, PackageState};
use rustix::io::Errno;
use sha2::Digest;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

/// The parts of the store that computing checksums works with.
#[derive(Debug)]
pub struct MissingChecksums {
    pub path: PathBuf,
    pub clock: Clock,
    pub changes: Arc<ChangeQueue>,
    pub cache: Arc<ListingCache>,
    pub owed: Arc<OwedSidecars>,
}

impl MissingChecksums {
    /// Computes the checksum of every listed package without one. Calls `go_on` often, which does
    /// other work and may end the computing. A package that cannot be read does not keep the others
    /// from getting theirs.
    pub fn compute(&self, mut go_on: impl FnMut() -> bool) -> Result<()> {
        self.owed.pay(|package| self.write_sidecar(package).is_ok());
        let listing = self.cache.last();
        let mut computed: Vec<Package> = Vec::new();
        let mut outcome = Ok(());
        let mut entered_at = self.clock.now();
        for package in listing.packages() {
            if package.sha256.is_some() || !is_quiet(&package.state) {
                continue;
            }
            if !go_on() {
                break;
            }
            match self.compute_one(package, &mut go_on) {
                Ok(known) => computed.extend(known),
                Err(error) => outcome = outcome.and(Err(error)),
            }
            if self.clock.now().duration_since(entered_at) >= CHECKSUMS_ENTRY_INTERVAL {
                self.cache.add_findings(&std::mem::take(&mut computed));
                entered_at = self.clock.now();
            }
        }
        if !computed.is_empty() {
            self.cache.add_findings(&computed);
        }
        outcome
    }

    fn compute_one(
        &self,
        package: &Arc<Package>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Package>> {
        let directory = Directory::open(&self.path)?;
        // A package that was listed in the middle of its publish has a sidecar by now.
        match sidecar::read(&directory, &package.name, &package.state) {
            Ok(sha256) => Ok(Some(with_checksum(package, sha256))),
            Err(_) => self.read_through(&directory, package, go_on),
        }
    }

    /// `None` for a package that was deleted, or changed while it was read: the next listing has it
    /// again.
    fn read_through(
        &self,
        directory: &Directory,
        package: &Package,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Package>> {
        let name = package.name.as_str();
        let file = match directory.open_file(name) {
            Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
            file => file.map_err(failed("open", directory.path(name)))?,
        };
        let unreadable = failed("read", directory.path(name));
        let sha256 = checksum(&file, &package.state, &mut |_| {
            if go_on() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .map_err(|error| unreadable(errno(&error)))?;
        let Some(sha256) = sha256 else {
            return Ok(None);
        };
        let package = with_checksum(package, sha256);
        if let Err(error) = self.write_sidecar(&package) {
            log::warn!(
                package = name, error:% = error;
                "the checksum file could not be written; the server tries again"
            );
            self.owed.extend([Arc::new(package.clone())]);
        }
        log::info!(package = name, sha256:% = sha256.hex(); "checksum computed");
        Ok(Some(package))
    }

    /// Writes the sidecar of a package, unless the package has changed or has one that counts.
    fn write_sidecar(&self, package: &Package) -> Result<()> {
        let Some(sha256) = package.sha256 else {
            return Ok(());
        };
        let sidecar = sidecar::prepare(&self.path, sha256, package.state.modified)?;
        let (cache, name, state) = (Arc::clone(&self.cache), package.name.clone(), package.state);
        self.changes.run_locked(move |lock| {
            cache.unlisted(lock, || {
                sidecar::place_missing(lock, &name, &state, sidecar)
            })
        })
    }
}

/// Whether the file has not changed for a while, so that a copy in progress is not hashed again and
/// again. A clock that differs from the file system's clock by more than that says nothing.
fn is_quiet(state: &PackageState) -> bool {
    let age = clock::wall_now()
        .duration_since(state.changed)
        .unwrap_or_else(|ahead| ahead.duration());
    age >= QUIET_TIME
}

fn with_checksum(package: &Package, sha256: Sha256) -> Package {
    Package {
        sha256: Some(sha256),
        ..package.clone()
    }
}

/// The checksum of a file; `None` where the file is not in this state after reading, or another
/// host has removed it meanwhile. `progress` gets the number of bytes after each read, and may end
/// the reading.
pub fn checksum(
    file: &File,
    state: &PackageState,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> std::io::Result<Option<Sha256>> {
    match hash(file, state, progress) {
        Err(error) if errno(&error) == Errno::STALE => Ok(None),
        hashed => hashed,
    }
}

fn hash(
    mut file: &File,
    state: &PackageState,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> std::io::Result<Option<Sha256>> {
    // A file that is still being copied in has changed since it was listed.
    if state_of(file)? != Entry::File(*state) {
        return Ok(None);
    }
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => {
                hasher.update(&buffer[..length]);
                if progress(length as u64).is_break() {
                    return Ok(None);
                }
            }
        }
    }
    let unchanged = state_of(file)? == Entry::File(*state);
    Ok(unchanged.then(|| Sha256::new(hasher.finalize())))
}
