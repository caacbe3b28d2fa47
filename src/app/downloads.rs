//! How often each package was downloaded.
//!
//! What counts is a GET that is answered with the whole file; a resumed one, and one of part of a file, does not. The
//! numbers are this process's own, from its start on: nothing is stored, and other servers on the directory have others.
//!
//! Invariants: counting waits for nothing but a lock held for a moment; names of packages that are gone do not stay. What
//! is made from the numbers asks for [`Downloads::version`], which changes at most once in `DOWNLOAD_COUNTS_INTERVAL`, so
//! that downloads cost no rendering each.

use crate::clock::Clock;
use crate::limits::DOWNLOAD_COUNTS_INTERVAL;
use crate::storage::{PackageName, Store};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The numbers of all packages.
pub struct Downloads {
    clock: Clock,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    by_name: HashMap<PackageName, u64>,
    version: u64,
    /// When the version last changed.
    changed_at: Option<Instant>,
    /// Whether something was counted since.
    is_behind: bool,
}

impl Downloads {
    /// No downloads yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            counts: Mutex::default(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a download of a package.
    pub fn count(&self, store: &Store, name: &PackageName) {
        let mut counts = self.counts();
        counts.is_behind = true;
        if let Some(count) = counts.by_name.get_mut(name) {
            *count += 1;
            return;
        }
        drop(counts);
        let listing = store.listing();
        let mut counts = self.counts();
        if let Ok(listing) = listing {
            let is_listed = |name: &PackageName, _: &mut u64| listing.get(name.as_str()).is_some();
            counts.by_name.retain(is_listed);
        }
        *counts.by_name.entry(name.clone()).or_default() += 1;
    }

    /// How often a package was downloaded.
    pub fn of(&self, name: &str) -> u64 {
        self.counts().by_name.get(name).copied().unwrap_or_default()
    }

    /// Differs from before where the numbers do, as far as it is time to show that.
    pub fn version(&self) -> u64 {
        let mut counts = self.counts();
        if counts.is_behind {
            let now = self.clock.now();
            let is_due = |at: Instant| now.duration_since(at) >= DOWNLOAD_COUNTS_INTERVAL;
            if counts.changed_at.is_none_or(is_due) {
                counts.version += 1;
                counts.changed_at = Some(now);
                counts.is_behind = false;
            }
        }
        counts.version
    }
}
