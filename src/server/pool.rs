//! The fixed pool: threads that take ready connections, advance them, and park them again.
//!
//! Invariants: the pool keeps its size, whatever a connection does to its worker; a worker waits in
//! the poller or for the disk, and for nothing else.

use super::completions::COMPLETIONS;
use super::conn_id::ConnId;
use super::connection::{Connection, Next};
use super::context::Context;
use super::listener::{Accepted, Listener, PauseReason};
use super::poller::{Ready, WAKE};
use super::shared::Shared;
use super::table::Parked;
use crate::http::service::Channel;
use crate::limits::EVENTS_PER_WAIT_MAX;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// One thread's part of the pool.
pub struct Worker<'s> {
    shared: &'s Shared,
    cx: Context<'s>,
    /// What the last wait returned.
    ready: Vec<Ready>,
}

impl<'s> Worker<'s> {
    pub fn new(shared: &'s Shared) -> Self {
        Self {
            shared,
            cx: Context::new(&shared.env),
            ready: Vec::with_capacity(EVENTS_PER_WAIT_MAX),
        }
    }

    /// Works until the server stops; `number` is the worker's.
    pub(super) fn run(&mut self, number: usize) {
        let shared = self.shared;
        let metrics = &shared.env.metrics;
        metrics.workers.fetch_add(1, Ordering::Relaxed);
        metrics.workers_busy.fetch_add(1, Ordering::Relaxed);
        let mut turn = 0;
        let mut begin = || {
            turn += 1;
            shared.relief.note(number, turn);
        };
        while !shared.stopping.load(Ordering::Acquire) {
            begin();
            let ended_at = self.cx.ended_at.take();
            let now = ended_at.unwrap_or_else(|| shared.env.clock.now());
            let next = self.expire(now);
            if let Some(ready) = shared.backlog.pop() {
                self.handle(ready);
                continue;
            }
            metrics.workers_busy.fetch_sub(1, Ordering::Relaxed);
            self.cx.ended_at = None;
            shared.relief.note(number, 0);
            // A worker that waits may not know the deadlines of what this one has parked.
            let timeout = next.map(|next| next.saturating_duration_since(now));
            let ready = if shared.relief.has_surplus() {
                shared.relief.rest(timeout);
                None
            } else {
                self.wait(timeout)
            };
            metrics.workers_busy.fetch_add(1, Ordering::Relaxed);
            begin();
            if let Some(ready) = ready {
                self.handle(ready);
            }
        }
    }

    /// Handles what is due and one event, without waiting; whether there was an event.
    pub fn turn(&mut self) -> bool {
        self.expire(self.shared.env.clock.now());
        let left = self.shared.backlog.pop();
        let ready = left.or_else(|| self.wait(Some(Duration::ZERO)));
        ready.map(|ready| self.handle(ready)).is_some()
    }

    /// Waits for events, and leaves all but the first to whichever worker has time first.
    fn wait(&mut self, timeout: Option<Duration>) -> Option<Ready> {
        let shared = self.shared;
        if let Err(error) = shared.poller.wait(timeout, &mut self.ready) {
            log::error!(error:% = error; "waiting for events failed");
        }
        let (&first, rest) = self.ready.split_first()?;
        shared.backlog.push(rest);
        Some(first)
    }

    fn handle(&mut self, ready: Ready) {
        let shared = self.shared;
        let Ready { token, is_ended } = ready;
        match token {
            // Every worker is to see the end.
            WAKE if shared.stopping.load(Ordering::Acquire) => {}
            WAKE => shared.poller.clear_wake(),
            COMPLETIONS => {
                if let Some(id) = shared.env.completions.pop()
                    && let Some(connection) = shared.table.take(id)
                {
                    self.advance(id, connection, Connection::advance);
                }
            }
            _ => match shared.listener(token) {
                Some(listener) => self.accept(listener),
                None => self.wake(ConnId::from_token(token), is_ended),
            },
        }
    }

    /// Gives a connection its turn after an event of its socket, unless it is closed or another
    /// worker holds it.
    fn wake(&mut self, id: ConnId, is_ended: bool) {
        if let Some(mut connection) = self.shared.table.take(id) {
            connection.note_event(is_ended);
            self.advance(id, connection, Connection::advance);
        }
    }

    /// Handles connections that are due; returns the next deadline.
    fn expire(&mut self, now: Instant) -> Option<Instant> {
        let shared = self.shared;
        while shared
            .table
            .earliest()
            .is_some_and(|deadline| deadline <= now)
            && let Some((id, connection)) = shared.table.take_due(now)
        {
            self.advance(id, connection, Connection::advance);
        }
        if shared.env.draining.load(Ordering::Acquire) {
            while let Some((id, connection)) = shared.table.take_longest_idle() {
                self.advance(id, connection, Connection::end_idle);
            }
        }
        let mut next = shared.table.earliest();
        let listeners = shared.listeners.iter();
        if shared.paused.load(Ordering::Relaxed)
            && let Some(resumes_at) = listeners.filter_map(Listener::resumes_at).min()
        {
            if resumes_at <= now {
                self.resume();
            } else {
                next = Some(next.map_or(resumes_at, |next| next.min(resumes_at)));
            }
        }
        next
    }

    /// Gives a connection its turn, and further turns while events arrive; then parks or closes it.
    fn advance(
        &mut self,
        id: ConnId,
        mut connection: Box<Connection>,
        turn: impl FnOnce(&mut Connection, &mut Context<'s>) -> Next,
    ) {
        let mut next = self.guard(&mut connection, turn);
        while let Some(woken) = self.settle(id, connection, next) {
            connection = woken;
            next = self.guard(&mut connection, Connection::advance);
        }
    }

    /// Keeps a panic to the connection that caused it.
    fn guard(
        &mut self,
        connection: &mut Connection,
        turn: impl FnOnce(&mut Connection, &mut Context<'s>) -> Next,
    ) -> Next {
        let turn = AssertUnwindSafe(|| turn(connection, &mut self.cx));
        catch_unwind(turn).unwrap_or_else(|_| {
            let env = &self.shared.env;
            env.metrics.panics.fetch_add(1, Ordering::Relaxed);
            self.cx = Context::new(env);
            Next::Close
        })
    }

    /// Parks or closes a connection without giving it a turn: its next request is another worker's.
    fn leave(&mut self, id: ConnId, mut connection: Box<Connection>, next: Next) {
        // Armed again, the socket reports the same event again.
        while let Some(woken) = self.settle(id, connection, next) {
            connection = woken;
        }
    }

    /// Parks or closes a connection; returns it where an event has arrived for it meanwhile.
    fn settle(
        &mut self,
        id: ConnId,
        mut connection: Box<Connection>,
        next: Next,
    ) -> Option<Box<Connection>> {
        let shared = self.shared;
        let Next::Park(interest, parking) = next else {
            self.close(id, connection);
            return None;
        };
        connection.record(&shared.env.metrics);
        // Watched before it is parked: an event in between finds it held, and parking returns it.
        let poller = &shared.poller;
        if interest.is_some_and(|interest| connection.watch(interest, poller).is_err()) {
            self.close(id, connection);
            return None;
        }
        let holding = connection.holding();
        match shared.table.park(id, connection, parking, holding) {
            Parked::Woken(mut woken) => {
                // Which event that was is not known.
                woken.note_event(true);
                Some(woken)
            }
            Parked::Done => {
                if holding.is_some() {
                    self.shed();
                }
                None
            }
        }
    }

    /// Closes the largest holders while parked connections hold too much memory.
    fn shed(&mut self) {
        let table = &self.shared.table;
        let bytes_max = self.shared.env.memory_limit.parked_bytes_max();
        while let Some((id, largest)) = table.take_largest_holder(bytes_max) {
            self.advance(id, largest, Connection::shed);
        }
    }

    fn close(&mut self, id: ConnId, mut connection: Box<Connection>) {
        let shared = self.shared;
        let metrics = &shared.env.metrics;
        connection.record_closed(metrics);
        metrics.connections_open.fetch_sub(1, Ordering::Relaxed);
        shared.env.open_connections.fetch_sub(1, Ordering::Relaxed);
        drop(connection);
        let last = shared.table.release(id);
        if shared.paused.load(Ordering::Relaxed) {
            self.resume();
        }
        if last && shared.env.draining.load(Ordering::Acquire) {
            shared.report_drained();
        }
    }

    fn resume(&mut self) {
        self.shared.paused.store(false, Ordering::Relaxed);
        for listener in &self.shared.listeners {
            listener.resume(&self.shared.poller);
        }
    }

    fn pause(&mut self, listener: &Listener, reason: PauseReason) {
        let shared = self.shared;
        listener.pause(reason, shared.env.clock.now());
        shared.paused.store(true, Ordering::Relaxed);
        // A connection may have been closed just before the pause began.
        if reason == PauseReason::Full && self.has_room() {
            self.resume();
        }
    }

    /// Whether one more connection fits, if need be in place of an idle one.
    fn has_room(&self) -> bool {
        let table = &self.shared.table;
        table.open() < self.shared.env.max_connections || table.has_idle()
    }

    /// Makes room for a waiting connection, if need be in place of the longest idle one; whether
    /// there is room.
    fn make_room(&mut self) -> bool {
        let shared = self.shared;
        while shared.table.open() >= shared.env.max_connections {
            let Some((id, mut longest_idle)) = shared.table.take_longest_idle() else {
                return false;
            };
            let next = longest_idle.evict(&mut self.cx);
            self.leave(id, longest_idle, next);
        }
        true
    }

    /// Accepts one connection and gives it its first turn. Its request has often arrived by then.
    fn accept(&mut self, listener: &Listener) {
        let shared = self.shared;
        if !self.make_room() {
            return self.pause(listener, PauseReason::Full);
        }
        let begun = match listener.accept() {
            Accepted::Connection(socket, peer) => self.begin(listener.channel, socket, peer),
            Accepted::Gone | Accepted::None => None,
            Accepted::Exhausted(error) => {
                return self.pause(listener, PauseReason::Resources(error));
            }
        };
        // An idle connection is closed only for one that is known to wait, and only the next event
        // says so. Another worker accepts that one: this turn may wait for the disk.
        listener.arm(&shared.poller);
        if let Some((id, connection)) = begun {
            self.advance(id, connection, Connection::advance);
        }
    }

    /// A connection that was just accepted, which this worker holds.
    fn begin(
        &mut self,
        channel: Channel,
        socket: OwnedFd,
        peer: SocketAddr,
    ) -> Option<(ConnId, Box<Connection>)> {
        let shared = self.shared;
        let tls = shared.env.tls.as_ref().filter(|_| channel == Channel::Tls);
        let session = tls.and_then(|tls| tls.acceptor.session());
        // Without a session the connection would be in clear: it is closed.
        if channel == Channel::Tls && session.is_none() {
            return None;
        }
        let metrics = &shared.env.metrics;
        metrics.connections_accepted.fetch_add(1, Ordering::Relaxed);
        metrics.connections_open.fetch_add(1, Ordering::Relaxed);
        shared.env.open_connections.fetch_add(1, Ordering::Relaxed);
        let id = shared.table.reserve();
        let speech = (channel, session);
        let mut connection = Box::new(Connection::new(id, socket, peer, speech, &self.cx));
        connection.record(metrics);
        Some((id, connection))
    }
}
