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
use std::fs::File;

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
        match lock_of_the_dead(directory, &name) {
            Ok(_kept) => outcome = outcome.and(remove(directory, &name, &mut found)),
            // Gone since, or no file at all.
            Err(Errno::NOENT | Errno::LOOP | Errno::ISDIR) => {}
            Err(_) => found.alive += 1,
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

/// The lock on an unfinished file, unless its writer holds it or it cannot be asked for. It is to be kept until the name
/// is gone: a writer that has just created the file then finds it locked or without a name, and gives it up.
/// Network file systems lock only what is open for writing.
fn lock_of_the_dead(directory: &Directory, name: &str) -> rustix::io::Result<File> {
    let file = directory.open_for_lock(name)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}
