//! The storage's own thread: what must happen without anyone asking.
//!
//! Invariant: everything here may fail, be late or be done twice by several processes without anyone losing anything.

use super::Store;
use super::cache::is_doubtful;
use super::directory::Directory;
use super::error::Result;
use super::heal;
use super::leftovers;
use crate::limits::{LEFTOVERS_INTERVAL, LISTING_RECHECK_INTERVAL};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Maintenance {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn is_set(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Maintenance {
    /// Starts the thread; its first round is done at once.
    pub fn start(store: Arc<Store>) -> std::io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("maintenance".to_owned())
            .spawn(move || run(&store, &told))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        *self
            .stop
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic in there was logged by the thread itself.
            let _ = thread.join();
        }
    }
}

fn run(store: &Store, stop: &Stop) {
    let mut cleaner = Cleaner::default();
    let mut trouble = None;
    for round in 0.. {
        if stop.is_set() {
            return;
        }
        let outcome = one_round(store, stop, &mut cleaner, round);
        tell(outcome.err().map(|error| error.to_string()), &mut trouble);
        let stopped = stop.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stop
            .changed
            .wait_timeout_while(stopped, LISTING_RECHECK_INTERVAL, |stopped| !*stopped);
    }
}

/// Each part is done whatever became of those before it; the first trouble is told.
fn one_round(store: &Store, stop: &Stop, cleaner: &mut Cleaner, round: u64) -> Result<()> {
    let rounds_between = LEFTOVERS_INTERVAL.as_secs() / LISTING_RECHECK_INTERVAL.as_secs();
    let mut outcome = Ok(());
    if round == 0 {
        outcome = store.cache.current().map(drop);
    }
    if round.is_multiple_of(rounds_between) || cleaner.is_behind {
        outcome = outcome.and(cleaner.round(store));
    }
    if store.cache.wants_recheck() {
        outcome = outcome.and(store.cache.recheck());
    }
    outcome.and(heal::heal(store, || !stop.is_set()))
}

/// Logs trouble when it begins, changes or ends, not in every round.
fn tell(now: Option<String>, before: &mut Option<String>) {
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
    clean_at: Option<(u64, SystemTime)>,
    /// The last look failed: the next one comes with the next round, so that the trouble ends when it ends.
    is_behind: bool,
}

impl Cleaner {
    fn round(&mut self, store: &Store) -> Result<()> {
        self.is_behind = true;
        let version = Directory::open(&store.path)?.version()?;
        if self.clean_at != Some(version) {
            let found = leftovers::clean(&store.lock.acquire()?)?;
            // Live uploads may die, and a change within a tick of the file system's clock does not show.
            let settled = found == leftovers::Found::default() && !is_doubtful(version.1);
            self.clean_at = settled.then_some(version);
        }
        self.is_behind = false;
        Ok(())
    }
}
