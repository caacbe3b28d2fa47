//! The listing: every package there is, newest first.
//!
//! Invariants: a listing never changes; a change makes another one with another version. Order is by modification time,
//! newest first, ties by name ascending. A package's checksum belongs to the state of the file that stands beside it.

use super::directory::FileState;
use super::name::PackageName;
use super::releases::Releases;
use crate::http::digest::Sha256;
use std::cmp::{Ordering, Reverse};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

/// A package, as it was when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: PackageName,
    /// The state of its file.
    pub state: FileState,
    /// Its checksum, unless it is still to be computed.
    pub sha256: Option<Sha256>,
}

/// All packages at one moment.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    newest_first: Vec<Arc<Package>>,
    by_name: Vec<Arc<Package>>,
    /// Made when they are first asked for.
    releases: OnceLock<Releases>,
    /// Differs from the version of every other listing of this process that holds something else.
    pub version: u64,
}

impl Listing {
    /// A listing of these packages.
    pub fn new(packages: Vec<Arc<Package>>, version: u64) -> Self {
        let mut newest_first = packages.clone();
        newest_first.sort_unstable_by(|left, right| order(left, right));
        let mut by_name = packages;
        by_name.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        Self {
            newest_first,
            by_name,
            releases: OnceLock::new(),
            version,
        }
    }

    /// All packages, newest first.
    pub fn packages(&self) -> &[Arc<Package>] {
        &self.newest_first
    }

    /// The same packages by version.
    pub fn releases(&self) -> &Releases {
        self.releases
            .get_or_init(|| Releases::of(&self.newest_first))
    }

    /// All packages, by name.
    pub fn by_name(&self) -> &[Arc<Package>] {
        &self.by_name
    }

    /// The package of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<Package>> {
        self.by_name
            .binary_search_by(|package| package.name.as_str().cmp(name))
            .ok()
            .map(|at| &self.by_name[at])
    }

    /// Whether the other one lists the same packages in the same states with the same checksums.
    pub fn is_same(&self, other: &Self) -> bool {
        self.newest_first == other.newest_first
    }

    /// The listing after some names went and some packages came, which may replace others of their names.
    #[must_use]
    pub fn changed(
        &self,
        gone: &HashSet<PackageName>,
        come: &[Arc<Package>],
        version: u64,
    ) -> Self {
        let stays = |package: &&Arc<Package>| {
            !gone.contains(&package.name) && !come.iter().any(|new| new.name == package.name)
        };
        let mut newest_first: Vec<_> = self.newest_first.iter().filter(stays).cloned().collect();
        let mut by_name: Vec<_> = self.by_name.iter().filter(stays).cloned().collect();
        for package in come {
            let at = newest_first.partition_point(|other| order(other, package).is_lt());
            newest_first.insert(at, Arc::clone(package));
            let at = by_name.partition_point(|other| other.name < package.name);
            by_name.insert(at, Arc::clone(package));
        }
        Self {
            newest_first,
            by_name,
            releases: OnceLock::new(),
            version,
        }
    }
}

/// The order in which packages are listed.
fn order(left: &Package, right: &Package) -> Ordering {
    (Reverse(left.state.modified), &left.name).cmp(&(Reverse(right.state.modified), &right.name))
}
