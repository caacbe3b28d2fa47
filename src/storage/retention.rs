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

use super::package::Package;
use crate::pattern::Pattern;
use crate::version::Version;

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
#[derive(Debug, Default)]
pub struct Surplus<'l> {
    /// Removed whatever the number of packages.
    pub always: Vec<&'l Package>,
    /// Removed while there are more than `max_packages` packages.
    pub by_count: Vec<&'l Package>,
}

impl Retention {
    pub fn is_limited(&self) -> bool {
        self.max_packages.is_some() || self.max_releases.is_some()
    }

    /// The packages that may be removed. `others`: all but the published one, newest first.
    pub fn surplus<'l>(
        &self,
        published: &Package,
        others: impl Iterator<Item = &'l Package>,
    ) -> Surplus<'l> {
        let mut surplus = Surplus::default();
        let mut kept: Vec<Version<'_>> = Version::of(published.name.as_str()).into_iter().collect();
        for package in others {
            let name = package.name.as_str();
            let version = self
                .max_releases
                .and_then(|max| Some((Version::of(name)?, max)));
            let is_pinned = self.pinned.iter().any(|pattern| pattern.matches(name));
            let removable = match version {
                None => &mut surplus.by_count,
                Some((version, _)) if kept.contains(&version) => continue,
                Some((version, max)) if kept.len() < max => {
                    kept.push(version);
                    continue;
                }
                Some(_) => &mut surplus.always,
            };
            if !is_pinned {
                removable.push(package);
            }
        }
        surplus.always.reverse();
        surplus.by_count.reverse();
        surplus
    }
}
