//! The listing: every package, newest first.
//!
//! Invariants: a listing is immutable; a change makes another one with another version. The order
//! is by modification time, newest first, ties by name ascending.

use super::name::PackageName;
use super::package::{Package, age_order};
use super::releases::Releases;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

/// All packages at one moment.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    newest_first: Vec<Arc<Package>>,
    by_name: Vec<Arc<Package>>,
    /// Made at the first use.
    releases: OnceLock<Releases>,
    /// Two listings of this process with the same version are equal.
    pub version: u64,
}

impl Listing {
    pub fn new(packages: Vec<Arc<Package>>, version: u64) -> Self {
        Self {
            newest_first: sorted(packages.clone(), age_order),
            by_name: sorted(packages, name_order),
            releases: OnceLock::new(),
            version,
        }
    }

    /// Newest first.
    pub fn packages(&self) -> &[Arc<Package>] {
        &self.newest_first
    }

    pub fn releases(&self) -> &Releases {
        self.releases
            .get_or_init(|| Releases::of(&self.newest_first))
    }

    pub fn by_name(&self) -> &[Arc<Package>] {
        &self.by_name
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Package>> {
        self.by_name
            .binary_search_by(|package| package.name.as_str().cmp(name))
            .ok()
            .map(|at| &self.by_name[at])
    }

    /// The listing after some names were removed and some packages added, which replace those of
    /// the same name. One pass over the packages, however many changes there are.
    #[must_use]
    pub fn changed(&self, removed: &[PackageName], added: &[Arc<Package>], version: u64) -> Self {
        let names = removed
            .iter()
            .chain(added.iter().map(|package| &package.name));
        let dropped: Vec<_> = names
            .filter_map(|name| self.get(name.as_str()))
            .cloned()
            .collect();
        Self {
            newest_first: merged(
                &self.newest_first,
                dropped.clone(),
                added.to_vec(),
                age_order,
            ),
            by_name: merged(&self.by_name, dropped, added.to_vec(), name_order),
            releases: OnceLock::new(),
            version,
        }
    }
}

type Order = fn(&Package, &Package) -> Ordering;

fn name_order(one: &Package, other: &Package) -> Ordering {
    one.name.cmp(&other.name)
}

fn sorted(mut packages: Vec<Arc<Package>>, order: Order) -> Vec<Arc<Package>> {
    packages.sort_unstable_by(|one, other| order(one, other));
    packages
}

/// Ordered packages, without the dropped ones and with each added one in its place.
fn merged(
    packages: &[Arc<Package>],
    dropped: Vec<Arc<Package>>,
    added: Vec<Arc<Package>>,
    order: Order,
) -> Vec<Arc<Package>> {
    let mut merged = Vec::with_capacity(packages.len() + added.len());
    let mut dropped = sorted(dropped, order).into_iter().peekable();
    let mut keep = |merged: &mut Vec<_>, packages: &[Arc<Package>]| {
        for package in packages {
            let mut stays = true;
            // A name that was removed and added again is in there twice.
            while dropped
                .next_if(|dropped| Arc::ptr_eq(dropped, package))
                .is_some()
            {
                stays = false;
            }
            if stays {
                merged.push(Arc::clone(package));
            }
        }
    };
    let mut rest = packages;
    for new in sorted(added, order) {
        let at = rest.partition_point(|package| order(package, &new).is_lt());
        keep(&mut merged, &rest[..at]);
        merged.push(new);
        rest = &rest[at..];
    }
    keep(&mut merged, rest);
    merged
}
