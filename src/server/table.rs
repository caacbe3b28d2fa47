//! All connections: parked here, or held by a worker.
//!
//! Invariants:
//! - A connection is owned by the table or by one worker, never by both.
//! - An id is never used twice: a slot that is used again has another generation, so a stale event
//!   finds nothing.
//! - An event for a connection that a worker holds is not lost: parking the connection returns it.
//!
//! Lock rule: the one lock here is held for a few instructions, never across a system call.

use super::conn_id::ConnId;
use super::deadlines::Deadlines;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How a connection is parked. A deadline is when it must be looked at, event or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parking {
    /// Between requests: it may be closed in favour of another one.
    Idle(Instant),
    /// In the middle of a request.
    Active(Instant),
    /// Another thread makes the answer; the client has no deadline.
    Storing,
}

/// The memory that a parked connection is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    pub bytes: usize,
    /// When the request began that it belongs to.
    pub since: Instant,
}

/// What parking came to.
#[derive(Debug)]
pub enum Parked<T> {
    Done,
    /// An event has arrived for the connection since it was armed.
    Woken(T),
}

/// All connections; `T` is the type of a connection.
#[derive(Debug)]
pub struct Table<T> {
    inner: Mutex<Inner<T>>,
    started: Instant,
    /// Nanoseconds from `started` to the earliest deadline: read without the lock. While the
    /// connection is taken that had it, it may be an earlier one.
    earliest: AtomicU64,
}

#[derive(Debug)]
struct Inner<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    idle: Deadlines,
    active: Deadlines,
    storing: usize,
    open: usize,
    /// Parked connections that hold memory, by size: a power of two, then the age of the request.
    holders: BTreeSet<Holder>,
    held_bytes: usize,
}

type Holder = (u32, Reverse<Instant>, ConnId);

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    custody: Custody<T>,
}

#[derive(Debug)]
enum Custody<T> {
    Free,
    /// A worker holds the connection; `woken` notes an event that arrived meanwhile.
    Held {
        woken: bool,
    },
    Parked(T, Parking, Option<Holding>),
}

impl<T> Table<T> {
    /// An empty table. No deadline may be earlier than `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            inner: Mutex::new(Inner {
                slots: Vec::new(),
                free: Vec::new(),
                idle: Deadlines::default(),
                active: Deadlines::default(),
                storing: 0,
                open: 0,
                holders: BTreeSet::new(),
                held_bytes: 0,
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

    pub fn earliest(&self) -> Option<Instant> {
        match self.earliest.load(Ordering::Relaxed) {
            u64::MAX => None,
            nanoseconds => self.started.checked_add(Duration::from_nanos(nanoseconds)),
        }
    }

    /// Number of connections, parked or held.
    pub fn open(&self) -> usize {
        self.lock().open
    }

    /// Number of connections that workers hold.
    pub fn held(&self) -> usize {
        let inner = self.lock();
        inner.open - inner.idle.len() - inner.active.len() - inner.storing
    }

    /// Number of parked connections in the middle of a request.
    pub fn active(&self) -> usize {
        let inner = self.lock();
        inner.active.len() + inner.storing
    }

    /// Whether any parked connection is idle.
    pub fn has_idle(&self) -> bool {
        self.lock().idle.first().is_some()
    }

    /// Reserves a slot for a new connection, which the caller holds.
    pub fn reserve(&self) -> ConnId {
        let mut inner = self.lock();
        inner.open += 1;
        let index = inner.free.pop().unwrap_or_else(|| {
            inner.slots.push(Slot {
                generation: 0,
                custody: Custody::Free,
            });
            u32::try_from(inner.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let slot = &mut inner.slots[index as usize];
        slot.custody = Custody::Held { woken: false };
        ConnId {
            index,
            generation: slot.generation,
        }
    }

    /// Takes the parked connection of an event. `None` where it is closed, or held: then the holder
    /// gets it back when it parks it.
    pub fn take(&self, id: ConnId) -> Option<T> {
        self.lock().take(id)
    }

    /// Parks a held connection, unless an event has arrived for it.
    pub fn park(
        &self,
        id: ConnId,
        connection: T,
        parking: Parking,
        holding: Option<Holding>,
    ) -> Parked<T> {
        let mut inner = self.lock();
        let Some(slot) = inner.slots.get_mut(id.index as usize) else {
            return Parked::Done;
        };
        if let Custody::Held { woken: true } = slot.custody {
            slot.custody = Custody::Held { woken: false };
            return Parked::Woken(connection);
        }
        slot.custody = Custody::Parked(connection, parking, holding);
        if let Some(holding) = holding {
            inner.held_bytes += holding.bytes;
            inner.holders.extend(holder(id, parking, holding));
        }
        match parking {
            Parking::Idle(deadline) => inner.idle.insert(deadline, id),
            Parking::Active(deadline) => inner.active.insert(deadline, id),
            Parking::Storing => inner.storing += 1,
        }
        self.note_earliest(&inner);
        Parked::Done
    }

    /// Frees the slot of a held connection that is closed; whether it was the last one.
    pub fn release(&self, id: ConnId) -> bool {
        let mut inner = self.lock();
        if let Some(slot) = inner.slots.get_mut(id.index as usize) {
            slot.generation = slot.generation.wrapping_add(1);
            slot.custody = Custody::Free;
            inner.free.push(id.index);
            inner.open -= 1;
        }
        self.note_earliest(&inner);
        inner.open == 0
    }

    /// Takes a connection whose deadline has passed.
    pub fn take_due(&self, now: Instant) -> Option<(ConnId, T)> {
        let mut inner = self.lock();
        let due = inner.earliest().filter(|(deadline, _)| *deadline <= now);
        let taken = due.and_then(|(_, id)| inner.take(id).map(|connection| (id, connection)));
        self.note_earliest(&inner);
        taken
    }

    /// Takes the parked connection that holds most memory, while all together hold more than
    /// `bytes_max`; of those of about the same size, the one with the oldest request.
    pub fn take_largest_holder(&self, bytes_max: usize) -> Option<(ConnId, T)> {
        let mut inner = self.lock();
        if inner.held_bytes <= bytes_max {
            return None;
        }
        let (_, _, id) = *inner.holders.last()?;
        let taken = inner.take(id).map(|connection| (id, connection));
        self.note_earliest(&inner);
        taken
    }

    /// Takes the connection that has been idle for the longest.
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

    fn take(&mut self, id: ConnId) -> Option<T> {
        let slot = self
            .slots
            .get_mut(id.index as usize)
            .filter(|slot| slot.generation == id.generation)?;
        match std::mem::replace(&mut slot.custody, Custody::Held { woken: false }) {
            Custody::Parked(connection, parking, holding) => {
                if let Some(holding) = holding {
                    self.held_bytes -= holding.bytes;
                    if let Some(holder) = holder(id, parking, holding) {
                        self.holders.remove(&holder);
                    }
                }
                match parking {
                    Parking::Idle(deadline) => self.idle.remove(deadline, id),
                    Parking::Active(deadline) => self.active.remove(deadline, id),
                    Parking::Storing => self.storing -= 1,
                }
                Some(connection)
            }
            Custody::Held { .. } => {
                slot.custody = Custody::Held { woken: true };
                None
            }
            Custody::Free => {
                slot.custody = Custody::Free;
                None
            }
        }
    }
}

/// The place of a connection among the holders of memory; `None` where closing it frees nothing, or
/// would lose the answer of a change.
fn holder(id: ConnId, parking: Parking, holding: Holding) -> Option<Holder> {
    let size = holding.bytes.checked_ilog2()?;
    (parking != Parking::Storing).then_some((size, Reverse(holding.since), id))
}
