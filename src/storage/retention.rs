//! Retention: which packages a publish removes.
//!
//! Three settings work together. A package that matches a pattern of `pinned` stays. The newest
//! `max_releases` versions stay whole, and all packages of older versions are removed. Of the
//! packages without a version, and of all packages where `max_releases` is not set, the oldest are
//! removed until at most `max_packages` packages are left. A version is as old as its newest
//! package.
//!
//! Invariants: the package just published stays, whatever its time. So does the rest of its version
//! where `max_releases` is set, so that a release published in several uploads never removes part
//! of itself.
//!
//! Source: docs/contract.md, section 4, "Retention".

use super::error::Result;
use super::name::PackageName;
use super::package::Package;
use crate::pattern::Pattern;
use crate::version::Version;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// `None` keeps every package.
    pub max_packages: Option<usize>,
    /// `None` keeps as many versions as `max_packages` allows.
    pub max_releases: Option<usize>,
    /// Packages that match are always kept.
    pub pinned: Vec<Pattern>,
}

/// The packages that may be removed, oldest first.
struct Surplus<'l> {
    /// Removed whatever the number of packages.
    always: Vec<&'l Package>,
    /// Removed while there are more than `max_packages` packages.
    by_count: Box<dyn Iterator<Item = &'l Package> + 'l>,
}

impl Retention {
    pub fn is_limited(&self) -> bool {
        self.max_packages.is_some() || self.max_releases.is_some()
    }

    fn is_pinned(&self, package: &Package) -> bool {
        let name = package.name.as_str();
        self.pinned.iter().any(|pattern| pattern.matches(name))
    }

    /// The packages that may be removed of all packages, the published one among them.
    fn surplus<'l>(
        &'l self,
        published: &'l Package,
        newest_first: &'l [Arc<Package>],
    ) -> Surplus<'l> {
        let packages = newest_first.iter().map(AsRef::as_ref);
        let removable =
            move |package: &&Package| package.name != published.name && !self.is_pinned(package);
        let Some(max_releases) = self.max_releases else {
            // Only as many are looked at as are removed.
            return Surplus {
                always: Vec::new(),
                by_count: Box::new(packages.rev().filter(removable)),
            };
        };
        let (mut always, mut by_count) = (Vec::new(), Vec::new());
        let mut kept: Vec<Version<'_>> = Version::of(published.name.as_str()).into_iter().collect();
        for package in packages.filter(|package| package.name != published.name) {
            let surplus = match Version::of(package.name.as_str()) {
                None => &mut by_count,
                Some(version) if kept.contains(&version) => continue,
                Some(version) if kept.len() < max_releases => {
                    kept.push(version);
                    continue;
                }
                Some(_) => &mut always,
            };
            if removable(&package) {
                surplus.push(package);
            }
        }
        always.reverse();
        Surplus {
            always,
            by_count: Box::new(by_count.into_iter().rev()),
        }
    }

    /// Removes what exceeds retention after a publish, by a function that says whether the package
    /// is removed. A package that cannot be removed is reported and kept.
    pub fn sweep(
        &self,
        published: &Package,
        newest_first: &[Arc<Package>],
        mut remove: impl FnMut(&Package) -> Result<bool>,
    ) -> Vec<PackageName> {
        let surplus = self.surplus(published, newest_first);
        let always = surplus.always.into_iter().map(|package| (package, true));
        let by_count = surplus.by_count.map(|package| (package, false));
        let mut removed = Vec::new();
        for (package, is_always) in always.chain(by_count) {
            let left = newest_first.len() - removed.len();
            if !is_always && self.max_packages.is_none_or(|max| left <= max) {
                break;
            }
            match remove(package) {
                Ok(true) => {
                    log::info!(
                        package = package.name.as_str(), published = published.name.as_str();
                        "removed by retention"
                    );
                    removed.push(package.name.clone());
                }
                Ok(false) => {}
                Err(error) => {
                    log::error!(
                        package = package.name.as_str(), error:% = error;
                        "retention cannot delete a package"
                    );
                }
            }
        }
        removed
    }
}
