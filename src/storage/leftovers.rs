//! Removes what crashed processes left: unfinished uploads, and sidecars whose package is gone.
//!
//! Invariants: runs under the directory's lock, so that no publish is between its package and its sidecar; an unfinished
//! file goes only when its writer no longer holds the lock on it, whatever process that was.

use super::directory::{Directory, Entry};
use super::error::{Result, failed};
use super::lock::DirLock;
use super::name::SIDECAR_SUFFIX;
use super::temporary::is_temporary;
use rustix::fs::FlockOperation;
use std::collections::HashSet;
use std::fs::File;

/// What a clean-up found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Names removed.
    pub removed: usize,
    /// Unfinished uploads of live processes, which are to be looked at again.
    pub alive: usize,
}

/// Looks through the directory once.
pub fn clean(lock: &DirLock) -> Result<Found> {
    let directory = lock.directory();
    let mut others = HashSet::new();
    let mut sidecars = Vec::new();
    let mut temporaries = Vec::new();
    for entry in directory.entries()? {
        let entry = entry.map_err(failed("list the directory", directory.path("")))?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if is_temporary(name) {
            temporaries.push(name.to_owned());
        } else if let Some(package) = name.strip_suffix(SIDECAR_SUFFIX)
            && !package.is_empty()
        {
            sidecars.push(package.to_owned());
        } else {
            others.insert(name.to_owned());
        }
    }
    let mut found = Found::default();
    for name in temporaries {
        if !is_file(directory, &name)? {
            continue;
        }
        match lock_of_the_dead(directory, &name) {
            Some(_kept) => found.removed += usize::from(directory.remove(&name)?),
            None => found.alive += 1,
        }
    }
    for package in sidecars.iter().filter(|package| !others.contains(*package)) {
        let sidecar = format!("{package}{SIDECAR_SUFFIX}");
        if is_file(directory, &sidecar)? {
            found.removed += usize::from(directory.remove(&sidecar)?);
        }
    }
    Ok(found)
}

fn is_file(directory: &Directory, name: &str) -> Result<bool> {
    Ok(matches!(directory.entry(name)?, Some(Entry::File(_))))
}

/// The lock on an unfinished file, unless its writer holds it or it cannot be asked for. It is to be kept until the name
/// is gone: a writer that has just created the file then finds it locked or without a name, and gives it up.
/// Network file systems lock only what is open for writing.
fn lock_of_the_dead(directory: &Directory, name: &str) -> Option<File> {
    let file = directory.open_for_lock(name).ok()?;
    let locked = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
    locked.is_ok().then_some(file)
}
