//! Packages that go: one on request, the oldest by retention.
//!
//! Invariants: both happen under the directory's lock; a package goes before its sidecar, so that a crash in between
//! leaves a leftover and no package without its checksum. The sweep runs within a publish, never takes the package just
//! published, and passes over one that cannot be deleted, so that one bad file does not let the others grow in number.
//!
//! Source: the project's contract, section 4, "Retention".

use super::cache::Change;
use super::directory::Entry;
use super::error::{Result, StorageError};
use super::listing::Package;
use super::name::PackageName;
use super::retention::{Retention, Surplus};
use super::sidecar;

/// Deletes a package on request; durable when it returns.
pub fn delete(change: &mut Change<'_>, name: &PackageName) -> Result<()> {
    let directory = change.lock().directory();
    match directory.entry(name.as_str())? {
        Some(Entry::File(_)) => remove(change, name)?,
        _ => return Err(StorageError::NotFound),
    }
    change.lock().directory().sync()
}

/// Deletes what retention leaves no room for, the published package counted. Not synced: a loss of power may bring some
/// back, and the next publish sweeps them again.
pub fn sweep(
    change: &mut Change<'_>,
    retention: &Retention,
    published: &Package,
) -> Vec<PackageName> {
    let before = change.before();
    let packages = before.packages().iter().map(AsRef::as_ref);
    let others = packages.filter(|package: &&Package| package.name != published.name);
    let total = 1 + others.clone().count();
    let Surplus { must_go, may_go } = retention.surplus(published, others);
    let must_go = must_go.into_iter().map(|package| (package, true));
    let may_go = may_go.into_iter().map(|package| (package, false));
    let mut removed = Vec::new();
    for (package, must_go) in must_go.chain(may_go) {
        let left = total - removed.len();
        if !must_go && retention.max_packages.is_none_or(|max| left <= max) {
            break;
        }
        match remove_unchanged(change, package) {
            Ok(true) => {
                log::info!(package = package.name.as_str(), published = published.name.as_str(); "swept");
                removed.push(package.name.clone());
            }
            Ok(false) => {}
            Err(error) => {
                log::error!(package = package.name.as_str(), error:% = error; "the sweep cannot delete a package");
            }
        }
    }
    removed
}

/// Deletes a package unless it was written since it was listed: then it is not the oldest any more. With new rights, or
/// another link, it still is.
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
        // Without its package it is a leftover, which the clean-up takes.
        log::warn!(package = name.as_str(), error:% = error; "a deleted package's sidecar stays for now");
    }
    change.went(name.clone());
    Ok(())
}
