//! How many workers take events: one for each processor, and one more for each that is in a long
//! turn. The others rest.
//!
//! Workers that share processors cost every request switches between threads; workers that wait for
//! the disk must be replaced. So a thread looks at the workers at an interval: a worker that is in
//! the same turn at two looks is relieved by a resting one, until its turn ends.
//!
//! Invariants: as many workers as there are processors take events and are in no long turn, or all
//! take events; where nothing changes between two looks, the thread sleeps until a turn begins.

use crate::limits::RELIEF_INTERVAL;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub struct Relief {
    processors: usize,
    /// The number of each worker's turn; 0 between turns.
    turns: Vec<Turn>,
    staff: Mutex<Staff>,
    /// More workers take events than needed: read without the lock.
    has_surplus: AtomicBool,
    /// The looking thread sleeps until a turn begins.
    sleeps: AtomicBool,
    needed: Condvar,
    looked: Condvar,
}

/// Each has a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Turn(AtomicU64);

#[derive(Debug)]
struct Staff {
    /// Workers that take events, or are in a turn.
    taking: usize,
    wanted: usize,
    is_stopped: bool,
}

impl Relief {
    /// All of these workers take events until the thread looks for the first time.
    pub fn new(workers: usize, processors: usize) -> Self {
        Self {
            processors,
            turns: (0..workers).map(|_| Turn::default()).collect(),
            staff: Mutex::new(Staff {
                taking: workers,
                wanted: workers,
                is_stopped: false,
            }),
            has_surplus: AtomicBool::new(false),
            sleeps: AtomicBool::new(false),
            needed: Condvar::new(),
            looked: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Staff> {
        self.staff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the number of a worker's turn, which begins; 0 where it ends.
    pub fn note(&self, worker: usize, turn: u64) {
        self.turns[worker].0.store(turn, SeqCst);
        if turn > 0 && self.sleeps.load(SeqCst) && self.sleeps.swap(false, SeqCst) {
            let _staff = self.lock();
            self.looked.notify_one();
        }
    }

    /// Whether a worker between turns should rest.
    pub fn has_surplus(&self) -> bool {
        self.has_surplus.load(SeqCst)
    }

    /// Waits until this worker is needed, or for so long; called between turns.
    pub fn rest(&self, timeout: Option<Duration>) {
        let mut staff = self.lock();
        if staff.taking > staff.wanted {
            staff.taking -= 1;
            self.note_surplus(&staff);
            let is_enough = |staff: &mut Staff| staff.taking >= staff.wanted && !staff.is_stopped;
            let timeout = timeout.unwrap_or(Duration::MAX);
            let rested = self.needed.wait_timeout_while(staff, timeout, is_enough);
            staff = rested.unwrap_or_else(PoisonError::into_inner).0;
            staff.taking += 1;
            self.note_surplus(&staff);
        }
    }

    fn note_surplus(&self, staff: &Staff) {
        self.has_surplus.store(staff.taking > staff.wanted, SeqCst);
    }

    /// The loop of the looking thread; `wake` lets a waiting worker look at what a worker that has
    /// got into a long turn leaves: events and deadlines.
    pub fn run(&self, wake: impl Fn()) {
        let mut seen = vec![(0, false); self.turns.len()];
        let mut staff = self.lock();
        while !staff.is_stopped {
            let mut long = 0;
            let mut has_moved = false;
            for (turn, (seen, is_long)) in self.turns.iter().zip(&mut seen) {
                let turn = turn.0.load(SeqCst);
                let was_long = std::mem::replace(is_long, turn > 0 && turn == *seen);
                has_moved |= turn != *seen || was_long != *is_long;
                *seen = turn;
                long += usize::from(*is_long);
                if *is_long && !was_long {
                    wake();
                }
            }
            staff.wanted = (self.processors + long).min(seen.len());
            self.note_surplus(&staff);
            if staff.taking < staff.wanted {
                self.needed.notify_all();
            }
            staff = if has_moved {
                let looked = self.looked.wait_timeout(staff, RELIEF_INTERVAL);
                looked.unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.sleeps.store(true, SeqCst);
                let mut turns = self.turns.iter().zip(&seen);
                if turns.any(|(turn, (seen, _))| turn.0.load(SeqCst) != *seen) {
                    self.sleeps.store(false, SeqCst);
                }
                let asleep = |staff: &mut Staff| self.sleeps.load(SeqCst) && !staff.is_stopped;
                let looked = self.looked.wait_while(staff, asleep);
                looked.unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    /// Ends the thread and every rest.
    pub fn stop(&self) {
        let mut staff = self.lock();
        staff.is_stopped = true;
        staff.wanted = staff.taking;
        self.looked.notify_one();
        self.needed.notify_all();
    }
}
