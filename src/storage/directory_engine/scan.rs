//! Reads the directory into packages.
//!
//! Invariants: a known checksum is kept only together with the exact state of its file, so every
//! file's state is read: a file system gives the inode of a deleted package to the next file, which
//! may have the same name. Sidecars are read only for new or changed packages. Everything that is
//! not a package, or cannot be looked at, is skipped, with one warning for each name.

use super::lock::LOCK_FILE;
use super::sidecar;
use crate::storage::content::Content;
use crate::storage::directory::{Directory, Entry, GENERATION_FILE};
use crate::storage::error::{Result, StorageError, failed};
use crate::storage::listing::Listing;
use crate::storage::name::{PackageName, SIDECAR_SUFFIX};
use crate::storage::package::Package;
use crate::storage::temporary;
use rustix::fs::FileType;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Names that the log has a warning about already.
#[derive(Debug, Default)]
pub struct Warned(Mutex<HashSet<String>>);

/// Bounds the memory for warnings; nobody reads more of them.
const WARNED_NAMES_MAX: usize = 1000;

impl Warned {
    fn is_first(&self, name: &str) -> bool {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.len() < WARNED_NAMES_MAX && names.insert(name.to_owned())
    }

    fn about(&self, directory: &Directory, name: &str, why: &str) {
        if self.is_first(name) {
            let path = directory.path(name).display().to_string();
            log::warn!(path, why; "not a package: neither listed nor served");
        }
    }

    /// Warns about a package that cannot be looked at.
    pub fn about_unreadable(&self, name: &PackageName, error: &StorageError) {
        if self.is_first(name.as_str()) {
            log::warn!(
                package = name.as_str(), error:% = error;
                "a package is left out of the list"
            );
        }
    }
}

struct Candidate<'k> {
    name: PackageName,
    /// The package that had this name at the last reading.
    before: Option<&'k Arc<Package>>,
}

/// Reads all packages of the directory, given the last listing; `None` where nothing changed.
/// `unreadable` gets the packages that cannot be looked at.
pub fn scan(
    directory: &Directory,
    known: &Listing,
    warned: &Warned,
    unreadable: &mut dyn FnMut(&PackageName, StorageError),
) -> Result<Option<Vec<Arc<Package>>>> {
    let mut candidates = Vec::with_capacity(known.packages().len());
    let mut sidecars = HashSet::new();
    for entry in directory.entries()? {
        let entry = entry.map_err(failed("list the directory", directory.path("")))?;
        let Ok(name) = entry.file_name().to_str() else {
            let shown = entry.file_name().to_string_lossy();
            warned.about(directory, &shown, "the name is not UTF-8");
            continue;
        };
        if matches!(name, "." | ".." | LOCK_FILE | GENERATION_FILE) || temporary::is_temporary(name)
        {
            continue;
        }
        let is_file = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
        if !is_file {
            warned.about(directory, name, "not a regular file");
        } else if let Some(package) = name.strip_suffix(SIDECAR_SUFFIX) {
            if !has_checksum(known.get(package)) {
                sidecars.insert(package.to_owned());
            }
        } else {
            let before = known.get(name);
            match before.map_or_else(|| PackageName::parse(name), |known| Ok(known.name.clone())) {
                Ok(name) => candidates.push(Candidate { name, before }),
                Err(why) => warned.about(directory, name, &why.to_string()),
            }
        }
    }
    let mut packages = Vec::with_capacity(candidates.len());
    let mut changed = candidates.len() != known.packages().len();
    for candidate in candidates {
        let has_sidecar =
            has_checksum(candidate.before) || sidecars.contains(candidate.name.as_str());
        let before = candidate.before;
        let name = candidate.name.clone();
        let package = look_at(directory, warned, candidate, has_sidecar).unwrap_or_else(|error| {
            unreadable(&name, error);
            None
        });
        changed |= package.as_ref().map(Arc::as_ptr) != before.map(Arc::as_ptr);
        packages.extend(package);
    }
    Ok(changed.then_some(packages))
}

fn has_checksum(package: Option<&Arc<Package>>) -> bool {
    package.is_some_and(|package| package.sha256.is_some())
}

fn look_at(
    directory: &Directory,
    warned: &Warned,
    candidate: Candidate<'_>,
    has_sidecar: bool,
) -> Result<Option<Arc<Package>>> {
    let before = candidate.before;
    let state = match directory.entry(candidate.name.as_str())? {
        Some(Entry::File(state)) => state,
        Some(Entry::Other) => {
            warned.about(directory, candidate.name.as_str(), "not a regular file");
            return Ok(None);
        }
        None => return Ok(None),
    };
    // A package without a checksum may have got a sidecar since.
    let settled = |package: &&Arc<Package>| package.sha256.is_some() || !has_sidecar;
    if let Some(package) = before.filter(settled)
        && package.state == state
    {
        return Ok(Some(Arc::clone(package)));
    }
    let sha256 = has_sidecar
        .then(|| sidecar::read(directory, &candidate.name, &state).ok())
        .flatten();
    let unchanged = before.filter(|package| package.state == state);
    let package = Package {
        name: candidate.name,
        state,
        sha256,
        content: unchanged.map_or(Content::Unread, |package| package.content.clone()),
    };
    Ok(Some(match before {
        Some(same) if **same == package => Arc::clone(same),
        _ => Arc::new(package),
    }))
}
