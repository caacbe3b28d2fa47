//! The bound on workers that look at the disk: at most half of them at a time.
//!
//! A call to a disk that hangs, such as a network file system whose server is gone, does not return
//! and cannot be ended. So the other half of the workers refuses such calls until one returns, and
//! goes on with everything that needs no disk.
//!
//! Invariant: while no call hangs, a worker waits here for a moment at most.

use crate::limits::DISK_GATE_WAIT_MAX;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};

#[derive(Debug)]
pub struct DiskGate {
    workers_max: usize,
    inside: AtomicUsize,
    waiting: AtomicUsize,
    /// A wait was in vain, and no call has returned since.
    is_hanging: AtomicBool,
    lock: Mutex<()>,
    left: Condvar,
}

/// A worker inside the gate; it leaves when this is dropped.
#[derive(Debug)]
pub struct Inside<'g>(&'g DiskGate);

impl DiskGate {
    /// A gate for half of this many workers.
    pub fn new(workers: usize) -> Self {
        Self {
            workers_max: (workers / 2).max(1),
            inside: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            is_hanging: AtomicBool::new(false),
            lock: Mutex::new(()),
            left: Condvar::new(),
        }
    }

    /// `None` where too many calls hang.
    pub fn enter(&self) -> Option<Inside<'_>> {
        if self.try_enter() {
            return Some(Inside(self));
        }
        if self.is_hanging.load(SeqCst) {
            return None;
        }
        self.waiting.fetch_add(1, SeqCst);
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut has_entered = false;
        let wait = self
            .left
            .wait_timeout_while(lock, DISK_GATE_WAIT_MAX, |()| {
                has_entered = self.try_enter();
                !has_entered
            });
        drop(wait);
        self.waiting.fetch_sub(1, SeqCst);
        if !has_entered {
            self.is_hanging.store(true, SeqCst);
        }
        has_entered.then(|| Inside(self))
    }

    fn try_enter(&self) -> bool {
        let one_more = |inside: usize| (inside < self.workers_max).then_some(inside + 1);
        self.inside.fetch_update(SeqCst, SeqCst, one_more).is_ok()
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let gate = self.0;
        gate.inside.fetch_sub(1, SeqCst);
        if gate.is_hanging.load(SeqCst) {
            gate.is_hanging.store(false, SeqCst);
        }
        if gate.waiting.load(SeqCst) > 0 {
            let _lock = gate.lock.lock().unwrap_or_else(PoisonError::into_inner);
            gate.left.notify_one();
        }
    }
}
