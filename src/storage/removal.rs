//! Packages that go: one on request, the oldest by retention.
//!
//! Invariants: both happen under the directory's lock; a package goes before its sidecar, so that a crash in between
//! leaves a leftover and no package without its checksum. The sweep runs within a publish, never takes the package just
//! published, whatever its time says, and passes over one that cannot be deleted, so that one bad file does not let the
//! others grow in number.
//!
//! Source: the project's contract, section 4, "Retention".

use super::cache::Change;
use super::directory::Entry;
use super::error::{Result, StorageError};
use super::listing::Package;
use super::name::PackageName;
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

/// Deletes the oldest packages until there are no more than wanted, the published one included. Not synced: a loss of
/// power may bring some back, and the next publish sweeps them again.
pub fn sweep(
    change: &mut Change<'_>,
    max_packages: Option<usize>,
    published: &Package,
) -> Vec<PackageName> {
    let before = change.before();
    let replaced = before.get(published.name.as_str()).is_some();
    let count = before.packages().len() + usize::from(!replaced);
    let surplus = max_packages.map_or(0, |max| count.saturating_sub(max));
    let mut removed = Vec::with_capacity(surplus);
    let oldest_first = before.packages().iter().rev();
    for package in oldest_first.filter(|package| package.name != published.name) {
        if removed.len() == surplus {
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
