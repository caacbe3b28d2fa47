//! The listing: every package, newest first.
//!
//! Invariants: a listing is immutable; a change makes another one with another version. The order
//! is by modification time, newest first, ties by name ascending.

use super::content::Content;
use super::name::PackageName;
use super::package::{Package, age_order};
use super::releases::Releases;
use crate::checksum::Sha256;
use crate::manifest::kind::Kind;
use crate::manifest::outcome::{Reason, Recognised};
use crate::manifest::selection::{Candidate, Selection};
use std::cmp::{Ordering, Reverse};
use std::sync::{Arc, OnceLock};

/// What catalogs list of a listing, and what they leave out.
#[derive(Clone, Copy, Debug)]
pub struct CatalogCounts {
    pub entries: [(&'static str, u64); Kind::ALL.len()],
    pub unlisted: [(&'static str, u64); Reason::ALL.len()],
    pub unread: u64,
}

/// All packages at one moment.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    newest_first: Vec<Arc<Package>>,
    by_name: Vec<Arc<Package>>,
    /// Made at the first use.
    releases: OnceLock<Releases>,
    /// Made at the first use.
    catalog_counts: OnceLock<CatalogCounts>,
    /// Two listings of this process with the same version are equal.
    pub version: u64,
}

impl Listing {
    pub fn new(packages: Vec<Arc<Package>>, version: u64) -> Self {
        Self {
            newest_first: sorted(packages.clone(), age_order),
            by_name: sorted(packages, name_order),
            releases: OnceLock::new(),
            catalog_counts: OnceLock::new(),
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

    /// What spec-kit's catalogs list of these packages; those without a checksum are left out.
    pub fn selection(&self) -> Selection<'_> {
        Selection::new(self.newest_first.iter().filter_map(|package| {
            let recognised = package.content.recognised()?;
            Some(Candidate {
                file: package.name.as_str(),
                modified: package.state.modified,
                sha256: package.sha256?,
                kind: recognised.kind,
                manifest: recognised.listing.as_ref().ok()?,
            })
        }))
    }

    pub fn catalog_counts(&self) -> CatalogCounts {
        *self.catalog_counts.get_or_init(|| {
            let selection = self.selection();
            let reasons: Vec<Reason> = self
                .newest_first
                .iter()
                .filter_map(|package| {
                    let recognised = package.content.recognised()?;
                    recognised
                        .listing
                        .as_ref()
                        .err()
                        .map(|unlisted| unlisted.reason)
                })
                .collect();
            CatalogCounts {
                entries: Kind::ALL.map(|kind| {
                    let entries = selection.entries.get(&kind).map_or(0, Vec::len);
                    (kind.plural(), entries as u64)
                }),
                unlisted: Reason::ALL.map(|reason| {
                    let count = match reason {
                        Reason::Duplicate => selection.duplicates.len(),
                        _ => reasons.iter().filter(|found| **found == reason).count(),
                    };
                    (reason.name(), count as u64)
                }),
                unread: self.unread() as u64,
            }
        })
    }

    /// How many packages may still enter catalogs: their files are unread, or not hashed yet.
    pub fn unread(&self) -> usize {
        let may_enter = |package: &&Arc<Package>| match &package.content {
            Content::Unread => true,
            Content::Plain => false,
            Content::Package(recognised) => recognised.listing.is_ok() && package.sha256.is_none(),
        };
        self.newest_first.iter().filter(may_enter).count()
    }

    /// The older package of the same kind, id and version with other bytes, if there is one: for a
    /// package in the listing, or one that is about to be published under this name.
    pub fn original(
        &self,
        name: &str,
        recognised: &Recognised,
        sha256: Option<Sha256>,
    ) -> Option<&Package> {
        let version = |recognised: &Recognised| {
            let manifest = recognised.listing.as_ref().ok()?;
            Some(manifest.version.clone())
        };
        let wanted = version(recognised)?;
        let is_same = |package: &&Arc<Package>| {
            package.content.recognised().is_some_and(|other| {
                (other.kind, &other.id) == (recognised.kind, &recognised.id)
                    && version(other).as_ref() == Some(&wanted)
            })
        };
        // From the newest to the oldest; of the same age, by name.
        let oldest = self
            .newest_first
            .iter()
            .filter(is_same)
            .max_by_key(|package| (Reverse(package.state.modified), Reverse(&package.name)))?;
        (oldest.name.as_str() != name && oldest.sha256 != sha256).then_some(oldest)
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
            catalog_counts: OnceLock::new(),
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
