//! Every connection there is: parked here, or in the hands of one worker.
//!
//! Invariants:
//! - A connection is owned by the table or by one worker, never by both.
//! - An id is never used twice: a slot that is used again has another generation, so a stale event finds nothing.
//! - An event for a connection that a worker holds is not lost: the worker is told when it parks the connection.
//!
//! Lock rule: the one lock here is held for a few instructions, never across a system call.

use super::deadlines::Deadlines;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Names a connection: slot and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    index: u32,
    generation: u32,
}

impl ConnId {
    /// The token of its events.
    pub fn token(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The connection of an event. Tokens are made by [`ConnId::token`] alone, so both halves fit.
    pub fn from_token(token: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Self {
            index: half(token),
            generation: half(token >> 32),
        }
    }
}

/// How long a connection may stay parked, and what it is while it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parking {
    /// When it must be looked at, event or not.
    pub deadline: Instant,
    /// Whether it waits between requests, so that it may be closed for another one.
    pub idle: bool,
}

/// All connections; `T` is what a connection is.
#[derive(Debug)]
pub struct Table<T> {
    inner: Mutex<Inner<T>>,
    started: Instant,
    /// Nanoseconds from `started` to the earliest deadline: read without the lock.
    earliest: AtomicU64,
}

#[derive(Debug)]
struct Inner<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    idle: Deadlines,
    active: Deadlines,
    open: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Free,
    /// In a worker's hands; whether an event came meanwhile.
    Held {
        woken: bool,
    },
    Parked(T, Parking),
}

impl<T> Table<T> {
    /// An empty table; `now` is the moment that its clock begins with.
    pub fn new(now: Instant) -> Self {
        Self {
            inner: Mutex::new(Inner {
                slots: Vec::new(),
                free: Vec::new(),
                idle: Deadlines::default(),
                active: Deadlines::default(),
                open: 0,
            }),
            started: now,
            earliest: AtomicU64::new(u64::MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_earliest(&self, inner: &Inner<T>) {
        let nanoseconds = inner.earliest().map_or(u64::MAX, |(deadline, _)| {
            let after = deadline.saturating_duration_since(self.started);
            u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)
        });
        self.earliest.store(nanoseconds, Ordering::Relaxed);
    }

    /// The earliest deadline.
    pub fn earliest(&self) -> Option<Instant> {
        match self.earliest.load(Ordering::Relaxed) {
            u64::MAX => None,
            nanoseconds => self.started.checked_add(Duration::from_nanos(nanoseconds)),
        }
    }

    /// Connections there are, parked or held.
    pub fn open(&self) -> usize {
        self.lock().open
    }

    /// Connections in the hands of workers.
    pub fn held(&self) -> usize {
        let inner = self.lock();
        inner.open - inner.idle.len() - inner.active.len()
    }

    /// Parked connections in the middle of a request.
    pub fn active(&self) -> usize {
        self.lock().active.len()
    }

    /// Whether any connection waits between requests.
    pub fn has_idle(&self) -> bool {
        self.lock().idle.first().is_some()
    }

    /// A slot for a new connection, which the caller holds.
    pub fn reserve(&self) -> ConnId {
        let mut inner = self.lock();
        inner.open += 1;
        let index = inner.free.pop().unwrap_or_else(|| {
            inner.slots.push(Slot {
                generation: 0,
                state: State::Free,
            });
            u32::try_from(inner.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let slot = &mut inner.slots[index as usize];
        slot.state = State::Held { woken: false };
        ConnId {
            index,
            generation: slot.generation,
        }
    }

    /// Takes a parked connection, for an event; `None` where it is gone, or held: then its holder is told.
    pub fn take(&self, id: ConnId) -> Option<T> {
        let mut inner = self.lock();
        let taken = inner.take(id);
        self.note_earliest(&inner);
        taken
    }

    /// Parks a held connection; gives it back where an event has come for it since it was armed.
    pub fn park(&self, id: ConnId, connection: T, parking: Parking) -> Option<T> {
        let mut inner = self.lock();
        let slot = inner.slots.get_mut(id.index as usize)?;
        if let State::Held { woken: true } = slot.state {
            slot.state = State::Held { woken: false };
            return Some(connection);
        }
        slot.state = State::Parked(connection, parking);
        inner.deadlines(parking).insert(parking.deadline, id);
        self.note_earliest(&inner);
        None
    }

    /// Gives up the slot of a held connection that is closed; whether it was the last one.
    pub fn release(&self, id: ConnId) -> bool {
        let mut inner = self.lock();
        if let Some(slot) = inner.slots.get_mut(id.index as usize) {
            slot.generation = slot.generation.wrapping_add(1);
            slot.state = State::Free;
            inner.free.push(id.index);
            inner.open -= 1;
        }
        inner.open == 0
    }

    /// Takes a connection whose deadline has come.
    pub fn take_due(&self, now: Instant) -> Option<(ConnId, T)> {
        let mut inner = self.lock();
        let (_, id) = inner.earliest().filter(|(deadline, _)| *deadline <= now)?;
        let taken = inner.take(id).map(|connection| (id, connection));
        self.note_earliest(&inner);
        taken
    }

    /// Takes the connection that has waited between requests for the longest.
    pub fn take_longest_idle(&self) -> Option<(ConnId, T)> {
        let mut inner = self.lock();
        let (_, id) = inner.idle.first()?;
        let taken = inner.take(id).map(|connection| (id, connection));
        self.note_earliest(&inner);
        taken
    }
}

impl<T> Inner<T> {
    fn earliest(&self) -> Option<(Instant, ConnId)> {
        match (self.idle.first(), self.active.first()) {
            (Some(idle), Some(active)) => Some(idle.min(active)),
            (idle, active) => idle.or(active),
        }
    }

    fn deadlines(&mut self, parking: Parking) -> &mut Deadlines {
        if parking.idle {
            &mut self.idle
        } else {
            &mut self.active
        }
    }

    fn take(&mut self, id: ConnId) -> Option<T> {
        let slot = self
            .slots
            .get_mut(id.index as usize)
            .filter(|slot| slot.generation == id.generation)?;
        match std::mem::replace(&mut slot.state, State::Held { woken: false }) {
            State::Parked(connection, parking) => {
                self.deadlines(parking).remove(parking.deadline, id);
                Some(connection)
            }
            State::Held { .. } => {
                slot.state = State::Held { woken: true };
                None
            }
            State::Free => {
                slot.state = State::Free;
                None
            }
        }
    }
}
