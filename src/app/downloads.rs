//! Download counts of packages.
//!
//! A GET that is answered with the whole file counts; a range or a resumed download does not. The
//! counts are those of this process since its start: nothing is stored, and other servers on the
//! same directory have their own.
//!
//! Invariants: counting waits only for a lock that is held for a moment; names of removed packages
//! are dropped. Answers that contain counts depend on [`Downloads::version`], which changes at most
//! once in `DOWNLOAD_COUNTS_INTERVAL`, so that a download does not cause a rendering each.

use crate::clock::Clock;
use crate::limits::DOWNLOAD_COUNTS_INTERVAL;
use crate::storage::{PackageName, Store};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub struct Downloads {
    clock: Clock,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    by_name: HashMap<PackageName, u64>,
    version: u64,
    changed_at: Option<Instant>,
    /// Whether a download was counted after the version last changed.
    is_behind: bool,
}

impl Downloads {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            counts: Mutex::default(),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn count(&self, store: &dyn Store, name: &PackageName) {
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

    /// The download count of a package.
    pub fn of(&self, name: &str) -> u64 {
        self.counts().by_name.get(name).copied().unwrap_or_default()
    }

    /// A number that changes after the counts did, at most once in `DOWNLOAD_COUNTS_INTERVAL`.
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
