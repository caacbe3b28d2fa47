//! The maintenance thread: clean-ups, rereading the directory, and missing checksums.
//!
//! Invariant: everything here may fail, be late or be done by several processes at once without any
//! loss of data.

use super::cache::is_doubtful;
use super::leftovers::{self, Cleaned};
use super::lock::DirLock;
use super::missing_checksums::MissingChecksums;
use super::unread;
use crate::limits::{HASH_YIELD_INTERVAL, LEFTOVERS_INTERVAL, LISTING_RECHECK_INTERVAL};
use crate::storage::directory::Directory;
use crate::storage::error::{Result, StorageError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

/// Maintains the directory until it is stopped.
pub fn run(parts: &MissingChecksums, stopped: &AtomicBool) {
    parts.cache.is_maintained_by(std::thread::current());
    let mut trouble = None;
    // Spares the first request the wait for the first reading.
    report(parts.cache.current().err(), &mut trouble);
    let mut cleaner = Cleaner::default();
    while !stopped.load(Ordering::Acquire) {
        let mut outcome = one_round(parts, &mut cleaner, stopped);
        let mut ended_at = parts.clock.now();
        // Hashing may take hours, so the other work runs meanwhile. After a failure, which may have
        // waited for the lock, it runs less often.
        let computed = parts.compute(|| {
            let since = parts.clock.now().duration_since(ended_at);
            let is_due = outcome.is_ok() && since >= HASH_YIELD_INTERVAL;
            if is_due || since >= LISTING_RECHECK_INTERVAL {
                outcome = one_round(parts, &mut cleaner, stopped);
                ended_at = parts.clock.now();
            }
            !stopped.load(Ordering::Acquire)
        });
        report(outcome.and(computed).err(), &mut trouble);
        std::thread::park_timeout(LISTING_RECHECK_INTERVAL);
    }
}

/// Each part runs even if another fails; the first error is returned.
fn one_round(parts: &MissingChecksums, cleaner: &mut Cleaner, stopped: &AtomicBool) -> Result<()> {
    let directory = Directory::open(&parts.path)?;
    let leftovers = cleaner.round(parts, &directory);
    let maintained = parts.cache.maintain(&directory);
    unread::read_all(&directory, &parts.cache, stopped);
    leftovers.and(maintained)
}

/// Logs an error when it begins, changes or ends, not in every round.
fn report(now: Option<StorageError>, before: &mut Option<String>) {
    let now = now.map(|error| error.to_string());
    match &now {
        Some(error) if now != *before => {
            log::error!(error = error.as_str(); "the storage directory cannot be maintained");
        }
        None if before.is_some() => log::info!("the storage directory can be maintained again"),
        _ => {}
    }
    *before = now;
}

/// Removes leftovers, but does not look twice at a directory that has not changed.
#[derive(Default)]
struct Cleaner {
    looked_at: Option<Instant>,
    clean_at: Option<(u64, SystemTime)>,
}

impl Cleaner {
    fn round(&mut self, parts: &MissingChecksums, directory: &Directory) -> Result<()> {
        let now = parts.clock.now();
        let is_due = |at: Instant| now.duration_since(at) >= LEFTOVERS_INTERVAL;
        if !self.looked_at.is_none_or(is_due) {
            return Ok(());
        }
        let version = directory.version()?;
        if self.clean_at != Some(version) {
            let cache = Arc::clone(&parts.cache);
            let clean = move |lock: &DirLock| cache.unlisted(lock, || leftovers::clean(lock));
            let cleaned = parts.changes.run_locked(clean)?;
            // Live uploads may fail later, and a change within a tick of the clock does not show.
            let settled = cleaned == Cleaned::default() && !is_doubtful(version.1);
            self.clean_at = settled.then_some(version);
        }
        // After a failure the next round tries again at once, so that recovery is not delayed.
        self.looked_at = Some(now);
        Ok(())
    }
}
