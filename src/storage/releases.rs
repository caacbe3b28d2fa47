//! Packages by version, which GitHub's clients know as releases and their assets.
//!
//! Invariants: every package is in exactly one release: that of the version in its name, or
//! [`UNVERSIONED`]. Nothing about releases is stored, so files copied in by hand count like any
//! other. An id follows from a name alone, so it is the same after a restart and in every process.
//!
//! Source: docs/contract.md, section 2.

use super::package::Package;
use crate::version::{Version, without_v};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The tag of packages without a version in their names.
pub const UNVERSIONED: &str = "unversioned";

#[derive(Clone, Debug, Default)]
pub struct Releases {
    highest_first: Vec<Release>,
    packages_by_id: Vec<(u64, Arc<Package>)>,
}

/// The packages of one version.
#[derive(Clone, Debug)]
pub struct Release {
    pub id: u64,
    /// The version as names write it, with a `v` where any of them does; or [`UNVERSIONED`].
    pub tag: String,
    /// Whether the version has a pre-release suffix, such as `-rc.1`.
    pub is_pre_release: bool,
    /// Newest first; empty only for a release without packages yet.
    pub packages: Vec<Arc<Package>>,
}

impl Releases {
    pub(super) fn of(newest_first: &[Arc<Package>]) -> Self {
        let mut versioned: Vec<(Option<Version<'_>>, &Arc<Package>)> = newest_first
            .iter()
            .map(|package| (Version::of(package.name.as_str()), package))
            .collect();
        // The sort is stable, so the packages of a version stay newest first; `None` sorts last.
        versioned.sort_by(|(one, _), (other, _)| other.cmp(one));
        let releases = versioned.chunk_by(|(one, _), (other, _)| one == other);
        let ids = newest_first
            .iter()
            .map(|package| asset_id(package.name.as_str()));
        Self {
            highest_first: releases.map(Release::of).collect(),
            packages_by_id: ids.zip(newest_first.iter().cloned()).collect(),
        }
    }

    /// The highest version first, [`UNVERSIONED`] last.
    pub fn all(&self) -> &[Release] {
        &self.highest_first
    }

    /// Final versions from the highest, then pre-releases, then [`UNVERSIONED`].
    pub fn finals_first(&self) -> impl Iterator<Item = &Release> {
        let mut releases: Vec<_> = self.highest_first.iter().collect();
        releases.sort_by_key(|release| (release.tag == UNVERSIONED, release.is_pre_release));
        releases.into_iter()
    }

    /// The highest version that is not a pre-release.
    pub fn latest(&self) -> Option<&Release> {
        let mut versions = self.highest_first.iter();
        versions.find(|release| !release.is_pre_release && release.tag != UNVERSIONED)
    }

    /// The tag may be given with or without `v`.
    pub fn by_tag(&self, tag: &str) -> Option<&Release> {
        let mut releases = self.highest_first.iter();
        releases.find(|release| without_v(&release.tag) == without_v(tag))
    }

    pub fn by_id(&self, id: u64) -> Option<&Release> {
        self.highest_first.iter().find(|release| release.id == id)
    }

    pub fn package(&self, id: u64) -> Option<&Arc<Package>> {
        let mut packages = self.packages_by_id.iter();
        packages
            .find(|(known, _)| *known == id)
            .map(|(_, package)| package)
    }
}

impl Release {
    /// The release of packages with equal versions.
    fn of(packages: &[(Option<Version<'_>>, &Arc<Package>)]) -> Self {
        let tags = packages.iter().map(|(version, _)| version.as_ref());
        let tags = tags.map(|version| version.map_or(UNVERSIONED, Version::as_str));
        let packages = packages.iter().map(|(_, package)| Arc::clone(package));
        Self {
            packages: packages.collect(),
            ..Self::new(tags.max_by_key(|tag| tag.len()).unwrap_or(UNVERSIONED))
        }
    }

    fn new(tag: &str) -> Self {
        Self {
            id: release_id(tag),
            tag: tag.to_owned(),
            is_pre_release: Version::of(tag).is_some_and(|version| version.is_pre_release()),
            packages: Vec::new(),
        }
    }

    /// The release of a tag that has no package yet; `None` where no package name could have this
    /// tag.
    pub fn empty(tag: &str) -> Option<Self> {
        (tag == UNVERSIONED || tag_of(tag) == tag).then(|| Self::new(tag))
    }
}

/// The tag of the release of a package, as the package's name writes it.
pub fn tag_of(name: &str) -> &str {
    Version::of(name).map_or(UNVERSIONED, |version| version.as_str())
}

/// The same with and without `v` in the tag.
pub fn release_id(tag: &str) -> u64 {
    stable_id("release", without_v(tag))
}

pub fn asset_id(name: &str) -> u64 {
    stable_id("asset", name)
}

/// A number from 1 to 2^53 - 1, which JavaScript reads exactly, from a kind and a name alone. The
/// probability that two of ten thousand names share a number is 1 in 180 million.
pub fn stable_id(kind: &str, name: &str) -> u64 {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(kind)
        .chain_update(":")
        .chain_update(name)
        .finalize()
        .into();
    let number = hash[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    (number >> 11).max(1)
}
