//! Retention: which packages a publish removes.
//!
//! Three settings work together. A package that a pattern of `pinned` names stays. Of the versions, the newest
//! `max_releases` stay, whole, and the others go, whole. Of what is left, which without `max_releases` is everything, the
//! oldest go until there are no more than `max_packages` packages in all. Age is that of the newest package of a version.
//!
//! Invariants: the package just published stays, whatever its time says; so does the rest of its version where
//! `max_releases` is set, so that a publish in several uploads never takes part of itself.
//!
//! Source: the project's contract, section 4, "Retention".

use super::listing::Package;
use crate::pattern::Pattern;
use crate::version::Version;

/// What is kept.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// How many packages; `None` for all.
    pub max_packages: Option<usize>,
    /// How many versions; `None` for as many as `max_packages` allows.
    pub max_releases: Option<usize>,
    /// What is kept in any case.
    pub pinned: Vec<Pattern>,
}

/// What may be removed, in the order in which it goes.
#[derive(Debug, Default)]
pub struct Surplus<'l> {
    /// These go in any case.
    pub must_go: Vec<&'l Package>,
    /// Of these as many as there are too many packages.
    pub may_go: Vec<&'l Package>,
}

impl Retention {
    /// Whether anything is ever removed.
    pub fn is_limited(&self) -> bool {
        self.max_packages.is_some() || self.max_releases.is_some()
    }

    /// What may be removed of the packages beside the published one. `others` come newest first.
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
            let goes = match version {
                None => &mut surplus.may_go,
                Some((version, _)) if kept.contains(&version) => continue,
                Some((version, max)) if kept.len() < max => {
                    kept.push(version);
                    continue;
                }
                Some(_) => &mut surplus.must_go,
            };
            if !is_pinned {
                goes.push(package);
            }
        }
        surplus.must_go.reverse();
        surplus.may_go.reverse();
        surplus
    }
}
