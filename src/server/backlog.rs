//! Events that a worker has taken from the poller and not handled yet.
//!
//! Invariant: no worker waits in the poller while an event is here, so that none queues after a
//! worker that waits for the disk. A worker announces that it waits before it looks here, and one
//! that leaves events here looks for such an announcement afterwards.

use super::poller::Ready;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct Backlog {
    events: Mutex<VecDeque<Ready>>,
    /// Number of events: read without the lock.
    length: AtomicUsize,
    /// Workers that wait in the poller, or are about to.
    waiting: AtomicUsize,
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Ready>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest event, and whether a waiting worker has to be woken for the next one.
    pub fn pop(&self) -> Option<(Ready, bool)> {
        if self.length.load(SeqCst) == 0 {
            return None;
        }
        let mut events = self.lock();
        let event = events.pop_front()?;
        Some((event, self.is_wanted(events)))
    }

    /// Leaves events; whether a waiting worker has to be woken for them.
    pub fn push(&self, ready: &[Ready]) -> bool {
        if ready.is_empty() {
            return false;
        }
        let mut events = self.lock();
        events.extend(ready);
        self.is_wanted(events)
    }

    fn is_wanted(&self, events: MutexGuard<'_, VecDeque<Ready>>) -> bool {
        let length = events.len();
        self.length.store(length, SeqCst);
        drop(events);
        length > 0 && self.waiting.load(SeqCst) > 0
    }

    /// Announces that a worker waits; how many others do. `None` where there are events.
    pub fn begin_wait(&self) -> Option<usize> {
        let others = self.waiting.fetch_add(1, SeqCst);
        if self.length.load(SeqCst) > 0 {
            self.end_wait();
            return None;
        }
        Some(others)
    }

    pub fn end_wait(&self) {
        self.waiting.fetch_sub(1, SeqCst);
    }
}
