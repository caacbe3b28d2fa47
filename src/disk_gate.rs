//! The bound on workers that wait for the disk: at most half of them at a time.
//!
//! A call to a disk that hangs, such as a network file system whose server is gone, does not return
//! and cannot be ended. So the other half of the workers makes no such call while half of them are
//! in one: what needs the disk is tried again later, and everything else goes on.
//!
//! Invariants: at least one worker neither is in a call nor waits for another's, except where there
//! are one or two workers; while calls return, nothing is refused for more than a moment; a call
//! inside a call counts once.

use crate::clock::Clock;
use crate::limits::{
    DISK_GATE_WAIT_MAX, DISK_HANG_TIME_MIN, DISK_RETRY_INTERVAL, HANGING_DISK_RETRY_INTERVAL,
};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

thread_local! {
    /// This thread is inside.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
    /// This thread was refused, and may succeed soon.
    static IS_PUT_OFF: Cell<bool> = const { Cell::new(false) };
}

#[derive(Debug)]
pub struct DiskGate {
    inside_max: usize,
    waiting_max: usize,
    inside: AtomicUsize,
    waiting: AtomicUsize,
    clock: Clock,
    began: Instant,
    /// When the gate was last seen to become full, or a call to return while it was; in
    /// milliseconds since it began.
    moved_at: AtomicU64,
    lock: Mutex<()>,
    left: Condvar,
}

/// A worker inside the gate; it leaves when this is dropped.
#[derive(Debug)]
pub struct Inside<'g>(Option<&'g DiskGate>);

impl DiskGate {
    /// A gate for half of this many workers.
    pub fn new(workers: usize, clock: Clock) -> Self {
        let inside_max = (workers / 2).max(1);
        Self {
            inside_max,
            waiting_max: workers.saturating_sub(inside_max + 1),
            inside: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            began: clock.now(),
            clock,
            moved_at: AtomicU64::new(0),
            lock: Mutex::new(()),
            left: Condvar::new(),
        }
    }

    /// `None` where half of the workers are inside.
    pub fn enter(&self) -> Option<Inside<'_>> {
        if IS_INSIDE.get() {
            return Some(Inside(None));
        }
        let has_entered = self.try_enter() || (!self.is_hanging() && self.wait());
        IS_INSIDE.set(has_entered);
        has_entered.then(|| Inside(Some(self)))
    }

    /// As [`DiskGate::enter`]; where that fails for the moment only, what this thread attempts is
    /// put off.
    pub fn enter_or_put_off(&self) -> Option<Inside<'_>> {
        let inside = self.enter();
        IS_PUT_OFF.set(inside.is_none() && !self.is_hanging());
        inside
    }

    /// How long to wait until what was refused is tried again.
    pub fn retry_interval(&self) -> Duration {
        if self.is_hanging() {
            HANGING_DISK_RETRY_INTERVAL
        } else {
            DISK_RETRY_INTERVAL
        }
    }

    /// Whether half of the workers are inside.
    fn is_full(&self) -> bool {
        self.inside.load(SeqCst) >= self.inside_max
    }

    /// Runs something that may need the disk; `None` where it was put off. What it returned is
    /// dropped then.
    pub fn attempt<T>(run: impl FnOnce() -> T) -> Option<T> {
        IS_PUT_OFF.set(false);
        let result = run();
        (!IS_PUT_OFF.take()).then_some(result)
    }

    /// Whether half of the workers are inside, and none has left for a long time.
    fn is_hanging(&self) -> bool {
        let moved_at = self.moved_at.load(SeqCst);
        let still = self.milliseconds().saturating_sub(moved_at);
        self.is_full() && u128::from(still) >= DISK_HANG_TIME_MIN.as_millis()
    }

    fn milliseconds(&self) -> u64 {
        let since = self.clock.now().saturating_duration_since(self.began);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn moved(&self) {
        self.moved_at.store(self.milliseconds(), SeqCst);
    }

    fn try_enter(&self) -> bool {
        let one_more = |inside: usize| (inside < self.inside_max).then_some(inside + 1);
        let entered = self.inside.fetch_update(SeqCst, SeqCst, one_more);
        if entered == Ok(self.inside_max - 1) {
            self.moved();
        }
        entered.is_ok()
    }

    /// Waits a moment for another worker to leave, unless too many wait already.
    fn wait(&self) -> bool {
        let one_more = |waiting: usize| (waiting < self.waiting_max).then_some(waiting + 1);
        if self.waiting.fetch_update(SeqCst, SeqCst, one_more).is_err() {
            return false;
        }
        let mut has_entered = false;
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self
            .left
            .wait_timeout_while(lock, DISK_GATE_WAIT_MAX, |()| {
                has_entered = self.try_enter();
                !has_entered
            });
        drop(wait);
        self.waiting.fetch_sub(1, SeqCst);
        has_entered
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let Some(gate) = self.0 else {
            return;
        };
        IS_INSIDE.set(false);
        if gate.inside.fetch_sub(1, SeqCst) == gate.inside_max {
            gate.moved();
        }
        if gate.waiting.load(SeqCst) > 0 {
            let _lock = gate.lock.lock().unwrap_or_else(PoisonError::into_inner);
            gate.left.notify_one();
        }
    }
}
