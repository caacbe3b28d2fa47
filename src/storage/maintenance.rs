//! The storage's own thread: what must happen without anyone asking.
//!
//! Invariant: everything here may fail, be late or be done twice by several processes without anyone losing anything.

use super::Store;
use super::cache::is_doubtful;
use super::directory::Directory;
use super::error::{Result, StorageError};
use super::heal;
use super::leftovers;
use crate::limits::{LEFTOVERS_INTERVAL, LISTING_RECHECK_INTERVAL};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Maintenance {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Maintenance {
    /// Starts the thread; its first round is done at once.
    pub fn start(store: Arc<Store>) -> std::io::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        let thread = std::thread::Builder::new()
            .name("maintenance".to_owned())
            .spawn(move || run(&store, &told))?;
        Ok(Self {
            stopped,
            thread: Some(thread),
        })
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic in there was logged by the thread itself.
            let _ = thread.join();
        }
    }
}

fn run(store: &Store, stopped: &AtomicBool) {
    store.cache.is_maintained_by(std::thread::current());
    let mut trouble = None;
    // Whoever asks first would wait for it.
    tell(store.cache.current().err(), &mut trouble);
    let mut cleaner = Cleaner::default();
    while !stopped.load(Ordering::Acquire) {
        let mut outcome = one_round(store, &mut cleaner);
        let mut ended_at = store.clock.now();
        // Hashing may take hours; the rest goes on meanwhile. What fails may have waited for the lock: that is not tried
        // again before each package.
        let healed = heal::heal(store, || {
            let since = store.clock.now().duration_since(ended_at);
            if outcome.is_ok() || since >= LISTING_RECHECK_INTERVAL {
                outcome = one_round(store, &mut cleaner);
                ended_at = store.clock.now();
            }
            !stopped.load(Ordering::Acquire)
        });
        tell(outcome.and(healed).err(), &mut trouble);
        std::thread::park_timeout(LISTING_RECHECK_INTERVAL);
    }
}

/// Each part is done whatever became of the one before it; the first trouble is told.
fn one_round(store: &Store, cleaner: &mut Cleaner) -> Result<()> {
    let directory = Directory::open(&store.path)?;
    let leftovers = cleaner.round(store, &directory);
    leftovers.and(store.cache.maintain(&directory))
}

/// Logs trouble when it begins, changes or ends, not in every round.
fn tell(now: Option<StorageError>, before: &mut Option<String>) {
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

/// Looks for leftovers, but not twice in a directory that has not changed.
#[derive(Default)]
struct Cleaner {
    looked_at: Option<Instant>,
    clean_at: Option<(u64, SystemTime)>,
}

impl Cleaner {
    fn round(&mut self, store: &Store, directory: &Directory) -> Result<()> {
        let now = store.clock.now();
        let is_due = |at: Instant| now.duration_since(at) >= LEFTOVERS_INTERVAL;
        if !self.looked_at.is_none_or(is_due) {
            return Ok(());
        }
        let version = directory.version()?;
        if self.clean_at != Some(version) {
            let lock = store.lock.acquire()?;
            let found = store.cache.unlisted(&lock, || leftovers::clean(&lock))?;
            // Live uploads may die, and a change within a tick of the file system's clock does not show.
            let settled = found == leftovers::Found::default() && !is_doubtful(version.1);
            self.clean_at = settled.then_some(version);
        }
        // Not after a failure: the next look comes with the next round, so that the trouble ends when it ends.
        self.looked_at = Some(now);
        Ok(())
    }
}
