//! Events that a worker has taken from the poller and not handled yet.
//!
//! Invariant: every worker looks here before it waits in the poller, so that no event queues after
//! a worker that waits for the disk: while events are here and a worker is in a long turn, another
//! one is woken. (`server/relief`)

use super::poller::Ready;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct Backlog {
    events: Mutex<VecDeque<Ready>>,
    /// Number of events: read without the lock.
    length: AtomicUsize,
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Ready>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest event.
    pub fn pop(&self) -> Option<Ready> {
        if self.length.load(SeqCst) == 0 {
            return None;
        }
        let mut events = self.lock();
        let event = events.pop_front();
        self.length.store(events.len(), SeqCst);
        event
    }

    /// Leaves events to whichever worker has time first.
    pub fn push(&self, ready: &[Ready]) {
        if !ready.is_empty() {
            let mut events = self.lock();
            events.extend(ready);
            self.length.store(events.len(), SeqCst);
        }
    }
}
