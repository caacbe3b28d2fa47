//! The listing: every package there is, newest first.
//!
//! Invariants: a listing never changes; a change makes another one with another version. Order is by modification time,
//! newest first, ties by name ascending. A package's checksum belongs to the state of the file that stands beside it.

use super::directory::FileState;
use super::name::PackageName;
use super::releases::Releases;
use crate::checksum::Sha256;
use std::cmp::{Ordering, Reverse};
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
        Self {
            newest_first: sorted(packages.clone(), age_order),
            by_name: sorted(packages, name_order),
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

    /// The listing after some names went and some packages came, which may replace others of their names. One pass: the
    /// changes are few or many, the packages always many.
    #[must_use]
    pub fn changed(&self, gone: &[PackageName], come: &[Arc<Package>], version: u64) -> Self {
        let names = gone.iter().chain(come.iter().map(|package| &package.name));
        let left: Vec<_> = names
            .filter_map(|name| self.get(name.as_str()))
            .cloned()
            .collect();
        Self {
            newest_first: merged(&self.newest_first, left.clone(), come.to_vec(), age_order),
            by_name: merged(&self.by_name, left, come.to_vec(), name_order),
            releases: OnceLock::new(),
            version,
        }
    }
}

type Order = fn(&Package, &Package) -> Ordering;

/// The order in which packages are listed.
fn age_order(one: &Package, other: &Package) -> Ordering {
    (Reverse(one.state.modified), &one.name).cmp(&(Reverse(other.state.modified), &other.name))
}

fn name_order(one: &Package, other: &Package) -> Ordering {
    one.name.cmp(&other.name)
}

fn sorted(mut packages: Vec<Arc<Package>>, order: Order) -> Vec<Arc<Package>> {
    packages.sort_unstable_by(|one, other| order(one, other));
    packages
}

/// Ordered packages without those of them that left, and with those that came each in its place.
fn merged(
    packages: &[Arc<Package>],
    left: Vec<Arc<Package>>,
    come: Vec<Arc<Package>>,
    order: Order,
) -> Vec<Arc<Package>> {
    let mut merged = Vec::with_capacity(packages.len() + come.len());
    let mut left = sorted(left, order).into_iter().peekable();
    let mut keep = |merged: &mut Vec<_>, packages: &[Arc<Package>]| {
        for package in packages {
            let mut stays = true;
            // Gone and come again, it is in there twice.
            while left.next_if(|left| Arc::ptr_eq(left, package)).is_some() {
                stays = false;
            }
            if stays {
                merged.push(Arc::clone(package));
            }
        }
    };
    let mut rest = packages;
    for new in sorted(come, order) {
        let at = rest.partition_point(|package| order(package, &new).is_lt());
        keep(&mut merged, &rest[..at]);
        merged.push(new);
        rest = &rest[at..];
    }
    keep(&mut merged, rest);
    merged
}
