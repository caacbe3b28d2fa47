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
use rustix::io::Errno;
use std::collections::HashSet;

/// What a clean-up found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Names removed.
    pub removed: usize,
    /// Unfinished uploads of live processes, which are to be looked at again.
    pub alive: usize,
}

/// Names that may be leftovers.
struct Candidates {
    temporaries: Vec<String>,
    /// The names that sidecars without a package belong to.
    orphans: Vec<String>,
}

fn candidates(directory: &Directory) -> Result<Candidates> {
    let mut others = HashSet::new();
    let mut orphans = Vec::new();
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
            orphans.push(package.to_owned());
        } else {
            others.insert(name.to_owned());
        }
    }
    orphans.retain(|package| !others.contains(package));
    Ok(Candidates {
        temporaries,
        orphans,
    })
}

/// Packages of which there is nothing but a sidecar. Without the lock one may be on its way in or out.
pub fn orphans(directory: &Directory) -> Result<Vec<String>> {
    candidates(directory).map(|found| found.orphans)
}

/// Looks through the directory once.
pub fn clean(lock: &DirLock) -> Result<Found> {
    let directory = lock.directory();
    let Candidates {
        temporaries,
        orphans,
    } = candidates(directory)?;
    let mut found = Found::default();
    // One that cannot be removed does not keep the others.
    let mut outcome = Ok(());
    for name in temporaries {
        if has_writer(directory, &name) {
            found.alive += 1;
        } else {
            outcome = outcome.and(remove(directory, &name, &mut found));
        }
    }
    for package in orphans {
        let sidecar = format!("{package}{SIDECAR_SUFFIX}");
        outcome = outcome.and(remove(directory, &sidecar, &mut found));
    }
    if found.removed > 0 {
        log::info!(count = found.removed; "leftovers removed");
    }
    outcome.map(|()| found)
}

fn remove(directory: &Directory, name: &str, found: &mut Found) -> Result<()> {
    if let Some(Entry::File(_)) = directory.entry(name)? {
        found.removed += usize::from(directory.remove(name)?);
    }
    Ok(())
}

/// Whether someone holds the lock on an unfinished file, or that cannot be told. Network file systems lock only what is
/// open for writing.
fn has_writer(directory: &Directory, name: &str) -> bool {
    match directory.open_for_lock(name) {
        Ok(file) => rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive).is_err(),
        Err(error) => !matches!(error, Errno::NOENT | Errno::LOOP | Errno::ISDIR),
    }
}
