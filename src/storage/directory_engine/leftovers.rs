//! Removes what crashed processes left: unfinished uploads, and sidecars without a package.
//!
//! Invariants: runs under the directory's lock, so that no publish is between its package and its
//! sidecar. An unfinished file is removed only when its writer, of whatever process, no longer
//! holds the lock on it.

use super::lock::DirLock;
use crate::storage::directory::{Directory, Entry};
use crate::storage::error::{Result, failed};
use crate::storage::name::{PackageName, SIDECAR_SUFFIX};
use crate::storage::temporary::{abandoned_lock, is_temporary};
use rustix::io::Errno;
use std::collections::HashSet;

/// The result of a clean-up, in names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub removed: usize,
    /// Unfinished uploads of live processes, which need another look later.
    pub alive: usize,
}

struct Candidates {
    temporaries: Vec<String>,
    /// Packages that have nothing but a sidecar.
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
            && PackageName::parse(package).is_ok()
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

/// Packages that have nothing but a sidecar. Without the lock, some may be in the middle of a
/// publish or a delete.
pub fn orphans(directory: &Directory) -> Result<Vec<String>> {
    candidates(directory).map(|candidates| candidates.orphans)
}

pub fn clean(lock: &DirLock) -> Result<Cleaned> {
    let directory = lock.directory();
    let Candidates {
        temporaries,
        orphans,
    } = candidates(directory)?;
    let mut cleaned = Cleaned::default();
    // A name that cannot be removed does not keep the others from removal.
    let mut outcome = Ok(());
    for name in temporaries {
        match abandoned_lock(directory, &name) {
            Ok(_lock) => outcome = outcome.and(remove(directory, &name, &mut cleaned)),
            // Removed since, or not a file.
            Err(Errno::NOENT | Errno::LOOP | Errno::ISDIR) => {}
            Err(_) => cleaned.alive += 1,
        }
    }
    for package in orphans {
        let sidecar = format!("{package}{SIDECAR_SUFFIX}");
        outcome = outcome.and(remove(directory, &sidecar, &mut cleaned));
    }
    if cleaned.removed > 0 {
        log::info!(count = cleaned.removed; "leftovers removed");
    }
    outcome.map(|()| cleaned)
}

fn remove(directory: &Directory, name: &str, cleaned: &mut Cleaned) -> Result<()> {
    if let Some(Entry::File(_)) = directory.entry(name)? {
        cleaned.removed += usize::from(directory.remove(name)?);
    }
    Ok(())
}
