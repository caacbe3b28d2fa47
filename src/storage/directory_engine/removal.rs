//! Removing packages: one on request, the oldest by retention.
//!
//! Invariants: both happen under the directory's lock. A package is removed before its sidecar, so
//! that a crash in between leaves a sidecar alone and no package without its checksum. Retention
//! never removes the package just published, and skips a package that cannot be deleted, so that
//! one bad file does not let the number of packages grow.
//!
//! Source: docs/contract.md, section 4, "Retention".

use super::lock::DirLock;
use super::sidecar;
use crate::storage::directory::Entry;
use crate::storage::error::Result;
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::package::{Package, age_order};
use crate::storage::retention::Retention;
use std::collections::HashMap;
use std::sync::Arc;

/// Removes a package and its sidecar. Not synced.
pub fn remove(lock: &DirLock, name: &PackageName) -> Result<()> {
    lock.directory().remove(name.as_str())?;
    if let Err(error) = sidecar::remove(lock, name) {
        // Without its package it is a leftover, which the clean-up removes.
        log::warn!(
            package = name.as_str(), error:% = error;
            "the checksum file of a deleted package could not be removed; the clean-up tries again"
        );
    }
    Ok(())
}

/// The packages that retention counts, kept up to date while the changes of a group are gone
/// through in their order. One change costs little, however many packages there are.
pub struct Kept<'l> {
    listing: &'l Listing,
    newest_first: Vec<Arc<Package>>,
    /// Packages that the group published, by name; `None` for those that it removed.
    changed: HashMap<PackageName, Option<Arc<Package>>>,
}

impl<'l> Kept<'l> {
    pub fn new(listing: &'l Listing) -> Self {
        Self {
            listing,
            newest_first: listing.packages().to_vec(),
            changed: HashMap::new(),
        }
    }

    pub fn add(&mut self, package: &Arc<Package>) {
        self.remove(&package.name);
        let at = self
            .newest_first
            .partition_point(|other| age_order(other, package).is_lt());
        self.newest_first.insert(at, Arc::clone(package));
        self.changed
            .insert(package.name.clone(), Some(Arc::clone(package)));
    }

    pub fn remove(&mut self, name: &PackageName) {
        let package = match self.changed.insert(name.clone(), None) {
            Some(changed) => changed,
            None => self.listing.get(name.as_str()).cloned(),
        };
        let at = package.and_then(|package| {
            self.newest_first
                .binary_search_by(|other| age_order(other, &package))
                .ok()
        });
        if let Some(at) = at {
            self.newest_first.remove(at);
        }
    }

    /// Deletes the packages that exceed retention after a publish, which is among them already. Not
    /// synced: after a loss of power some may be back, and the next publish removes them again.
    pub fn apply(
        &mut self,
        lock: &DirLock,
        retention: &Retention,
        published: &Package,
    ) -> Vec<PackageName> {
        let remove = |package: &Package| remove_unchanged(lock, package);
        let removed = retention.sweep(published, &self.newest_first, remove);
        for name in &removed {
            self.remove(name);
        }
        removed
    }
}

/// Deletes a package unless it was written since it was listed: then it is not the oldest any more.
/// Other permissions or another link leave it the oldest.
fn remove_unchanged(lock: &DirLock, package: &Package) -> Result<bool> {
    match lock.directory().entry(package.name.as_str())? {
        Some(Entry::Other) => return Ok(false),
        Some(Entry::File(now)) if now.modified != package.state.modified => return Ok(false),
        _ => remove(lock, &package.name)?,
    }
    Ok(true)
}
