//! Connections whose answers other threads have made, on the way back to a worker.
//!
//! Invariant: each event of the poller gives one connection to one worker, so that none queues
//! after a worker that waits for the disk.
//!
//! Source: eventfd(2); epoll(7), edge-triggered: each write is an event for one waiting thread.

use super::conn_id::ConnId;
use super::poller::Poller;
use rustix::event::{EventfdFlags, eventfd};
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The token of completions; connections, the listener and the wake-up have others.
pub const COMPLETIONS: u64 = u64::MAX - 2;

#[derive(Debug)]
pub struct Completions {
    answered: Mutex<VecDeque<ConnId>>,
    event: OwnedFd,
}

impl Completions {
    pub fn new(poller: &Poller) -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        poller.add_edge(&event, COMPLETIONS)?;
        Ok(Self {
            answered: Mutex::new(VecDeque::new()),
            event,
        })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<ConnId>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, id: ConnId) {
        self.lock().push_back(id);
        self.signal();
    }

    /// The next connection; the rest is left to other workers.
    pub fn pop(&self) -> Option<ConnId> {
        let mut answered = self.lock();
        let id = answered.pop_front();
        let more = !answered.is_empty();
        drop(answered);
        if more {
            self.signal();
        }
        id
    }

    /// Wakes one waiting worker.
    pub fn signal(&self) {
        // The counter is never read: only the event of writing it counts, and no process lives long
        // enough to fill it.
        let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
    }
}
