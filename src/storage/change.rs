//! A change that somebody requested: what is to happen, on which condition, and where the answer
//! goes.
//!
//! Invariant: nothing here depends on how packages are kept, so that every engine can take the same
//! changes.

use super::content::Content;
use super::error::{Result, StorageError};
use super::listing::Listing;
use super::name::PackageName;
use super::package::Package;
use crate::checksum::Sha256;
use std::sync::Arc;

/// Takes the result of a change, on a thread of the storage.
pub type Done<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// Whether a change may be made while this package, or none, has the name.
pub type Precondition = Arc<dyn Fn(Option<&Package>) -> bool + Send + Sync>;

/// What a publish does about a package that has its name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// The request does not ask to replace it.
    No,
    Yes,
    /// The request asks to replace it and may not.
    Forbidden,
}

/// What a publish requires of its name.
#[derive(Clone)]
pub struct Requirement {
    pub overwrite: Overwrite,
    pub precondition: Option<Precondition>,
    /// Whether catalogs have to list the package.
    pub listed: bool,
}

impl Requirement {
    /// Checks the requirement against the package that has the name now. RFC 9110, section 13.2.1:
    /// preconditions count only where the request would succeed without them.
    pub fn check(&self, current: Option<&Package>) -> Result<()> {
        match current {
            Some(package) if self.overwrite == Overwrite::No => {
                Err(StorageError::Exists(package.sha256))
            }
            Some(_) if self.overwrite == Overwrite::Forbidden => {
                Err(StorageError::OverwriteForbidden)
            }
            _ => check(self.precondition.as_ref(), current),
        }
    }

    /// Checks that catalogs would list a package, if that is required: none of the others, which
    /// are all older, has the same id and version with other bytes.
    pub fn check_listed(
        &self,
        name: &PackageName,
        content: &Content,
        sha256: Sha256,
        others: &Listing,
    ) -> Result<()> {
        let Some(recognised) = content.recognised().filter(|_| self.listed) else {
            return Ok(());
        };
        match others.unread() {
            0 => match others.original(name.as_str(), recognised, Some(sha256)) {
                None => Ok(()),
                Some(_) => Err(StorageError::Duplicate),
            },
            unread => Err(StorageError::Unread(unread)),
        }
    }
}

/// Checks a precondition against the package that has the name now.
pub fn check(precondition: Option<&Precondition>, current: Option<&Package>) -> Result<()> {
    match precondition {
        Some(holds) if !holds(current) => Err(StorageError::PreconditionFailed),
        _ => Ok(()),
    }
}

/// The request to delete a package.
pub struct Delete {
    pub name: PackageName,
    pub precondition: Option<Precondition>,
    pub done: Done<()>,
}

/// The request to publish an upload under a name.
pub struct Publish {
    pub name: PackageName,
    pub requirement: Requirement,
    pub done: Done<Published>,
}

/// The result of a publish.
#[derive(Debug)]
pub struct Published {
    pub package: Arc<Package>,
    /// Whether a package of the same name was replaced.
    pub replaced: bool,
    /// The packages that retention removed.
    pub removed: Vec<PackageName>,
}
