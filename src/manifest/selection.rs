//! Which packages a catalog lists: one entry an id, its other versions as releases, no version
//! twice.
//!
//! Invariant: the selection depends on the packages alone and not on their order, so that servers
//! that list the same packages answer the same bytes.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use super::kind::Kind;
use super::outcome::Manifest;
use crate::checksum::Sha256;
use crate::limits::spec_kit::CATALOG_RELEASES_MAX;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::time::SystemTime;

/// A package that may be listed.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'p> {
    pub file: &'p str,
    pub modified: SystemTime,
    pub sha256: Sha256,
    pub kind: Kind,
    pub manifest: &'p Manifest,
}

/// An id of a catalog.
#[derive(Debug)]
pub struct Entry<'p> {
    /// The highest version that is not a pre-release; else the highest.
    pub current: Candidate<'p>,
    /// The other versions, from the highest; the newest 50 files.
    pub releases: Vec<Candidate<'p>>,
}

/// What catalogs list.
#[derive(Debug, Default)]
pub struct Selection<'p> {
    /// By kind, then by id.
    pub entries: BTreeMap<Kind, Vec<Entry<'p>>>,
    /// Files that repeat a version of an older file with other bytes.
    pub duplicates: HashSet<&'p str>,
}

impl<'p> Selection<'p> {
    /// The entry of an id.
    pub fn entry(&self, kind: Kind, id: &str) -> Option<&Entry<'p>> {
        let entries = self.entries.get(&kind)?;
        let at = entries.binary_search_by(|entry| entry.current.manifest.id.as_str().cmp(id));
        at.ok().map(|at| &entries[at])
    }

    pub fn new(candidates: impl IntoIterator<Item = Candidate<'p>>) -> Self {
        let mut ids: BTreeMap<(Kind, &str), Vec<Candidate<'p>>> = BTreeMap::new();
        for candidate in candidates {
            let id = (candidate.kind, &candidate.manifest.id[..]);
            ids.entry(id).or_default().push(candidate);
        }
        let mut selection = Self::default();
        for ((kind, _), candidates) in ids {
            let versions = selection.versions(candidates);
            selection
                .entries
                .entry(kind)
                .or_default()
                .extend(entry(kind, versions));
        }
        selection
    }

    /// One file for each version, from the highest: the oldest, which keeps its bytes.
    fn versions(&mut self, mut candidates: Vec<Candidate<'p>>) -> Vec<Candidate<'p>> {
        candidates.sort_by(|one, other| {
            let age = |candidate: &Candidate<'p>| (candidate.modified, candidate.file);
            let by_version = other.manifest.version.cmp(&one.manifest.version);
            by_version.then_with(|| age(one).cmp(&age(other)))
        });
        let mut versions: Vec<Candidate<'p>> = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            match versions.last() {
                Some(first) if first.manifest.version == candidate.manifest.version => {
                    if first.sha256 != candidate.sha256 {
                        self.duplicates.insert(candidate.file);
                    }
                }
                _ => versions.push(candidate),
            }
        }
        versions
    }
}

/// The entry of an id; clients only show the releases of integrations, so these have none.
fn entry(kind: Kind, mut versions: Vec<Candidate<'_>>) -> Option<Entry<'_>> {
    let is_final = |candidate: &Candidate<'_>| candidate.manifest.version.is_final();
    let current = versions.iter().position(is_final).unwrap_or(0);
    let current = (!versions.is_empty()).then(|| versions.remove(current))?;
    if kind == Kind::Integration {
        versions.clear();
    }
    if versions.len() > CATALOG_RELEASES_MAX {
        let newest_first = |candidate: &Candidate<'_>| Reverse(candidate.modified);
        let mut ages: Vec<_> = versions
            .iter()
            .map(|it| (newest_first(it), it.file))
            .collect();
        ages.sort_unstable();
        ages.truncate(CATALOG_RELEASES_MAX);
        let kept: HashSet<&str> = ages.into_iter().map(|(_, file)| file).collect();
        versions.retain(|candidate| kept.contains(candidate.file));
    }
    Some(Entry {
        current,
        releases: versions,
    })
}
