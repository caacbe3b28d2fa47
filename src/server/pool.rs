//! The fixed pool: threads that take what is ready, advance it, and park it again.
//!
//! Invariants: the pool keeps its size, whatever a connection does to its worker; a worker waits in the poller, or for the
//! disk, and for nothing else.

use super::Shared;
use super::connection::{Connection, Context, Next};
use super::listener::{Accepted, LISTENER, PauseReason};
use super::poller::{Interest, WAKE};
use super::table::ConnId;
use crate::app::error::ApiError;
use crate::app::metrics::CloseReason;
use crate::limits::{ACCEPTS_PER_TURN_MAX, PARKED_BYTES_MAX};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Instant;

/// Starts the threads.
pub fn start(shared: &Arc<Shared>, workers: usize) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..workers)
        .map(|number| {
            let shared = Arc::clone(shared);
            std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || Worker::new(&shared).run())
        })
        .collect()
}

struct Worker<'s> {
    shared: &'s Shared,
    cx: Context<'s>,
}

impl<'s> Worker<'s> {
    fn new(shared: &'s Shared) -> Self {
        Self {
            shared,
            cx: Context::new(shared),
        }
    }

    fn run(&mut self) {
        let shared = self.shared;
        shared.metrics.workers.fetch_add(1, Ordering::Relaxed);
        shared.metrics.workers_busy.fetch_add(1, Ordering::Relaxed);
        while !shared.stopping.load(Ordering::Acquire) {
            let now = shared.clock.now();
            let next = self.expire(now);
            let timeout = next.map(|next| next.saturating_duration_since(now));
            shared.metrics.workers_busy.fetch_sub(1, Ordering::Relaxed);
            let event = shared.poller.wait(timeout);
            shared.metrics.workers_busy.fetch_add(1, Ordering::Relaxed);
            match event {
                Ok(None) => {}
                Ok(Some(WAKE)) if shared.stopping.load(Ordering::Acquire) => return,
                Ok(Some(WAKE)) => shared.poller.clear_wake(),
                Ok(Some(LISTENER)) => self.accept(),
                Ok(Some(token)) => {
                    let id = ConnId::from_token(token);
                    if let Some(connection) = shared.table.take(id) {
                        self.advance(id, connection, Connection::advance);
                    }
                }
                Err(error) => log::error!(error:% = error; "waiting for events failed"),
            }
        }
    }

    /// Deals with what is due; when the next deadline is.
    fn expire(&mut self, now: Instant) -> Option<Instant> {
        let shared = self.shared;
        while shared
            .table
            .earliest()
            .is_some_and(|deadline| deadline <= now)
            && let Some((id, connection)) = shared.table.take_due(now)
        {
            self.advance(id, connection, Connection::deadline_passed);
        }
        if shared.draining.load(Ordering::Acquire) {
            while let Some((id, connection)) = shared.table.take_longest_idle() {
                self.advance(id, connection, Connection::end_idle);
            }
        }
        let mut next = shared.table.earliest();
        if shared.paused.load(Ordering::Relaxed)
            && let Some(resumes_at) = shared.listener.resumes_at()
        {
            if resumes_at <= now {
                self.resume();
            } else {
                next = Some(next.map_or(resumes_at, |next| next.min(resumes_at)));
            }
        }
        next
    }

    /// Lets a connection take its turn, and parks or closes it.
    fn advance(
        &mut self,
        id: ConnId,
        mut connection: Box<Connection>,
        step: impl Fn(&mut Connection, &mut Context<'s>) -> Next,
    ) {
        let mut next = catch_unwind(AssertUnwindSafe(|| step(&mut connection, &mut self.cx)));
        loop {
            let Ok(Next::Park(interest, parking)) = next else {
                if next.is_err() {
                    self.shared.metrics.panics.fetch_add(1, Ordering::Relaxed);
                    self.cx = Context::new(self.shared);
                }
                return self.close(id, connection);
            };
            connection.count(&self.shared.metrics);
            if !self.fits(&mut connection) {
                let (reason, error) = (CloseReason::Memory, ApiError::Overloaded);
                connection.give_up(reason, error, &mut self.cx);
                return self.close(id, connection);
            }
            // Armed before it is parked: an event in between finds it held and wakes its holder.
            if self
                .shared
                .poller
                .arm(&*connection, id.token(), interest)
                .is_err()
            {
                return self.close(id, connection);
            }
            match self.shared.table.park(id, connection, parking) {
                None => return,
                Some(woken) => connection = woken,
            }
            next = catch_unwind(AssertUnwindSafe(|| connection.advance(&mut self.cx)));
        }
    }

    /// Whether what a connection is about to hold while it waits fits beside what all others hold. Who needs no more than
    /// before is never turned away.
    fn fits(&self, connection: &mut Connection) -> bool {
        let (before, now) = (connection.counted_bytes, connection.held_bytes());
        let parked_bytes = &self.shared.parked_bytes;
        connection.counted_bytes = now;
        if now <= before {
            if now < before {
                parked_bytes.fetch_sub(before - now, Ordering::Relaxed);
            }
            return true;
        }
        let grown = now - before;
        parked_bytes.fetch_add(grown, Ordering::Relaxed) + grown <= PARKED_BYTES_MAX
    }

    fn close(&mut self, id: ConnId, connection: Box<Connection>) {
        let shared = self.shared;
        shared.metrics.moved(connection.counted, None);
        shared
            .parked_bytes
            .fetch_sub(connection.counted_bytes, Ordering::Relaxed);
        shared
            .metrics
            .connections_open
            .fetch_sub(1, Ordering::Relaxed);
        drop(connection);
        let last = shared.table.release(id);
        if shared.paused.load(Ordering::Relaxed) {
            self.resume();
        }
        if last && shared.draining.load(Ordering::Acquire) {
            shared.tell_drained();
        }
    }

    fn resume(&mut self) {
        self.shared.paused.store(false, Ordering::Relaxed);
        self.shared.listener.resume(&self.shared.poller);
    }

    fn pause(&mut self, reason: PauseReason) {
        let shared = self.shared;
        shared.listener.pause(reason, shared.clock.now());
        shared.paused.store(true, Ordering::Relaxed);
        // What would have ended the pause may have happened just before it began.
        if reason == PauseReason::Full && self.has_room() {
            self.resume();
        }
    }

    /// Whether one more connection fits, be it in the place of an idle one.
    fn has_room(&self) -> bool {
        let table = &self.shared.table;
        table.open() < self.shared.max_connections || table.has_idle()
    }

    /// Makes room for a connection that waits, if need be in the place of the longest idle one; whether there is any.
    fn make_room(&mut self) -> bool {
        let shared = self.shared;
        while shared.table.open() >= shared.max_connections {
            let Some((id, longest_idle)) = shared.table.take_longest_idle() else {
                return false;
            };
            self.advance(id, longest_idle, Connection::evict);
        }
        true
    }

    fn accept(&mut self) {
        let shared = self.shared;
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            if !self.make_room() {
                return self.pause(PauseReason::Full);
            }
            match shared.listener.accept() {
                Accepted::Connection(socket, peer) => self.begin(Connection::new(socket, peer)),
                Accepted::Gone => {}
                Accepted::Nobody => break,
                Accepted::Exhausted(error) => return self.pause(PauseReason::Resources(error)),
            }
            // An idle one goes only for one that is known to wait: the next event says whether there is any.
            if shared.table.open() >= shared.max_connections {
                break;
            }
        }
        shared.listener.arm(&shared.poller);
    }

    fn begin(&mut self, connection: Connection) {
        let shared = self.shared;
        shared
            .metrics
            .connections_accepted
            .fetch_add(1, Ordering::Relaxed);
        shared
            .metrics
            .connections_open
            .fetch_add(1, Ordering::Relaxed);
        let mut connection = Box::new(connection);
        connection.count(&shared.metrics);
        let id = shared.table.reserve();
        if shared
            .poller
            .add(&*connection, id.token(), Interest::Read)
            .is_err()
        {
            return self.close(id, connection);
        }
        let parking = Connection::first_parking(shared.clock.now());
        if let Some(woken) = shared.table.park(id, connection, parking) {
            self.advance(id, woken, Connection::advance);
        }
    }
}
