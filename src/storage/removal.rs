//! Removing packages: one on request, the oldest by retention.
//!
//! Invariants: both happen under the directory's lock. A package is removed before its sidecar, so
//! that a crash in between leaves a sidecar alone and no package without its checksum. Retention
//! runs within a publish, never removes the package just published, and skips a package that
//! cannot be deleted, so that one bad file does not let the number of packages grow.
//!
//! Source: docs/contract.md, section 4, "Retention".

use super::cache::Change;
use super::directory::Entry;
use super::error::{Result, StorageError};
use super::name::PackageName;
use super::package::Package;
use super::retention::{Retention, Surplus};
use super::sidecar;

/// Deletes a package on request; durable on return.
pub fn delete(change: &mut Change<'_>, name: &PackageName) -> Result<()> {
    let directory = change.lock().directory();
    match directory.entry(name.as_str())? {
        Some(Entry::File(_)) => remove(change, name)?,
        _ => return Err(StorageError::NotFound),
    }
    change.lock().directory().sync()
}

/// Deletes the packages that exceed retention, counting the published one. Not synced: after a loss
/// of power some may be back, and the next publish removes them again.
pub fn apply_retention(
    change: &mut Change<'_>,
    retention: &Retention,
    published: &Package,
) -> Vec<PackageName> {
    let before = change.before();
    let packages = before.packages().iter().map(AsRef::as_ref);
    let others = packages.filter(|package: &&Package| package.name != published.name);
    let total = 1 + others.clone().count();
    let Surplus { always, by_count } = retention.surplus(published, others);
    let always = always.into_iter().map(|package| (package, true));
    let by_count = by_count.into_iter().map(|package| (package, false));
    let mut removed = Vec::new();
    for (package, is_always) in always.chain(by_count) {
        let left = total - removed.len();
        if !is_always && retention.max_packages.is_none_or(|max| left <= max) {
            break;
        }
        match remove_unchanged(change, package) {
            Ok(true) => {
                log::info!(
                    package = package.name.as_str(), published = published.name.as_str();
                    "removed by retention"
                );
                removed.push(package.name.clone());
            }
            Ok(false) => {}
            Err(error) => {
                log::error!(
                    package = package.name.as_str(), error:% = error;
                    "retention cannot delete a package"
                );
            }
        }
    }
    removed
}

/// Deletes a package unless it was written since it was listed: then it is not the oldest any more.
/// Other permissions or another link leave it the oldest.
fn remove_unchanged(change: &mut Change<'_>, package: &Package) -> Result<bool> {
    match change.lock().directory().entry(package.name.as_str())? {
        Some(Entry::Other) => return Ok(false),
        Some(Entry::File(now)) if now.modified != package.state.modified => return Ok(false),
        _ => remove(change, &package.name)?,
    }
    Ok(true)
}

fn remove(change: &mut Change<'_>, name: &PackageName) -> Result<()> {
    change.touch();
    let directory = change.lock().directory();
    directory.remove(name.as_str())?;
    if let Err(error) = sidecar::remove(change.lock(), name) {
        // Without its package it is a leftover, which the clean-up removes.
        log::warn!(
            package = name.as_str(), error:% = error;
            "the checksum file of a deleted package could not be removed; the clean-up tries again"
        );
    }
    change.removed(name.clone());
    Ok(())
}
