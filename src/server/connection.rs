//! The state machine of one connection: head, body, answer, and again.
//!
//! Invariants:
//! - It advances as far as it can without waiting for the client, then says what it waits for and for how long.
//! - Bytes of one request are never read as another's: what follows a body stays in `inbox`, and a connection whose rest
//!   is not worth reading is closed.
//! - Between requests it holds no buffer: an idle connection costs its struct and its socket.
//!
//! This file has the states and the turns; `request.rs` reads heads, `body.rs` bodies, `send.rs` writes answers, `discard.rs`
//! throws away.
//!
//! Sources: RFC 9112, sections 9.3 (persistence), 9.3.2 (pipelining), 9.6 (closing in two steps).

use super::Shared;
use super::body::Receiving;
use super::discard::Draining;
use super::exchange::Exchange;
use super::pace::{Pace, Verdict};
use super::poller::Interest;

use super::send::Sending;
use super::table::Parking;
use super::unacked::unacked_bytes;
use crate::app::error::ApiError;
use crate::app::metrics::{Activity, CloseReason, Metrics};
use crate::clock;
use crate::date;
use crate::limits::{
    HEAD_TIME_MAX, IDLE_TIME_MAX, PACE_WINDOW, RECEIVE_BUFFER_BYTES, STALL_TIME_MAX,
};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// A connection.
#[derive(Debug)]
pub struct Connection {
    pub(super) socket: OwnedFd,
    /// Where the client is, as the log writes it.
    pub(super) peer: Arc<str>,
    /// Bytes received and not used yet.
    pub(super) inbox: Vec<u8>,
    pub(super) state: State,
    /// Bytes that the socket has taken, of all answers.
    pub(super) sent_bytes: u64,
    /// What the numbers have it at.
    pub(super) counted: Option<Activity>,
    /// What is counted of the memory that it holds.
    pub(super) counted_bytes: usize,
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum State {
    /// Between requests, or in the middle of a head.
    Head(Waiting),
    /// Feeding a body to its sink.
    Body(Box<Receiving>),
    /// Writing an answer.
    Send(Box<Sending>),
    /// Reading over the rest of a body, to keep the connection.
    Drain(Box<Draining>),
    /// Closed for writing; what still comes is thrown away until this moment.
    Linger(Instant),
}

/// How far a head has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waiting {
    /// When its first byte came; `None` between requests.
    pub(super) since: Option<Instant>,
    /// Bytes of the inbox that were looked at and are no complete head.
    pub(super) looked_at: usize,
}

/// What a step of the state machine came to.
pub(super) enum Step {
    /// Take the next step at once.
    Continue,
    /// Wait.
    Park(Interest, Parking),
    /// Close the connection.
    Close,
}

/// What becomes of a connection after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It waits for this, at most for so long.
    Park(Interest, Parking),
    /// It is done.
    Close,
}

/// What a worker lends to the connection that it advances.
pub struct Context<'s> {
    pub(super) shared: &'s Shared,
    /// Received bytes; taken while a step uses it.
    pub(super) buffer: Vec<u8>,
    /// Heads of answers; taken while one is sent.
    pub(super) out: Vec<u8>,
    /// What the present turn has done.
    pub(super) turn: Turn,
    date: (u64, String),
}

/// Work done in this turn, so that other connections get theirs.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) requests: usize,
    pub(super) received_bytes: usize,
    pub(super) sent_bytes: usize,
}

/// What reading the socket gave.
pub(super) enum Received {
    Bytes(usize),
    Nothing,
    /// The client's side is closed, or the connection is broken.
    End,
}

impl<'s> Context<'s> {
    /// The context of one worker.
    pub fn new(shared: &'s Shared) -> Self {
        Self {
            shared,
            buffer: vec![0; RECEIVE_BUFFER_BYTES],
            out: Vec::new(),
            turn: Turn::default(),
            date: (0, String::new()),
        }
    }

    /// The present date, as HTTP writes it: made once a second.
    pub(super) fn date(&mut self) -> &str {
        let second = clock::wall_now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if self.date.0 != second || self.date.1.is_empty() {
            let time = UNIX_EPOCH + Duration::from_secs(second);
            self.date = (second, date::http(time));
        }
        &self.date.1
    }
}

impl Connection {
    /// A connection that was just accepted.
    pub fn new(socket: OwnedFd, peer: SocketAddr) -> Self {
        Self {
            socket,
            peer: peer.to_string().into(),
            inbox: Vec::new(),
            state: State::Head(Waiting::default()),
            sent_bytes: 0,
            counted: None,
            counted_bytes: 0,
        }
    }

    /// The memory that it takes beside its struct while it waits. Bodies of answers are shared, or small and in the head's
    /// buffer; what a body's sink holds is for those who have the token.
    pub fn held_bytes(&self) -> usize {
        let answer = match &self.state {
            State::Send(sending) => sending.held_bytes(),
            _ => 0,
        };
        self.inbox.capacity() + answer
    }

    /// Lets the numbers know what it is at.
    pub fn count(&mut self, metrics: &Metrics) {
        let activity = Some(match &self.state {
            State::Head(Waiting { since: None, .. }) => Activity::Idle,
            State::Head(_) => Activity::Head,
            State::Body(_) => Activity::Body,
            State::Send(_) => Activity::Answer,
            State::Drain(_) | State::Linger(_) => Activity::Leaving,
        });
        metrics.moved(self.counted, activity);
        self.counted = activity;
    }

    /// How a new connection waits for its first byte.
    pub fn first_parking(now: Instant) -> Parking {
        Parking {
            deadline: now + IDLE_TIME_MAX,
            idle: true,
        }
    }

    /// How a connection waits whose request has come and that no worker has got to yet.
    pub(super) fn turn_parking(now: Instant) -> Parking {
        Parking {
            deadline: now + HEAD_TIME_MAX,
            idle: false,
        }
    }

    /// How a connection between requests is kept all the same: where one has come that no worker has got to yet.
    fn kept_for_request(&self, cx: &Context<'_>) -> Option<Next> {
        let peeked = rustix::net::recv(&self.socket, &mut [0], RecvFlags::PEEK);
        matches!(peeked, Ok((1.., _)))
            .then(|| Next::Park(Interest::Read, Self::turn_parking(cx.shared.clock.now())))
    }

    /// Advances it as far as it goes without waiting for the client.
    pub fn advance(&mut self, cx: &mut Context<'_>) -> Next {
        cx.turn = Turn::default();
        loop {
            let state = std::mem::replace(&mut self.state, State::Head(Waiting::default()));
            let step = match state {
                State::Head(waiting) => self.read_head(waiting, cx),
                State::Body(receiving) => self.read_body(receiving, cx),
                State::Send(sending) => self.send(*sending, cx),
                State::Drain(draining) => self.drain(draining, cx),
                State::Linger(until) => self.linger(until, cx),
            };
            match step {
                Step::Continue => {}
                Step::Park(interest, parking) => return Next::Park(interest, parking),
                Step::Close => return Next::Close,
            }
        }
    }

    /// Its deadline has come: it is ended, or given more time where something moved without an event.
    pub fn deadline_passed(&mut self, cx: &mut Context<'_>) -> Next {
        let now = cx.shared.clock.now();
        let reason = match &mut self.state {
            State::Head(Waiting { since: None, .. }) => CloseReason::Idle,
            State::Head(_) => CloseReason::Head,
            State::Body(_) | State::Drain(_) => CloseReason::Stalled,
            State::Send(sending) => {
                match observe_sending(&self.socket, &mut sending.pace, self.sent_bytes, now) {
                    Verdict::Fine => return Next::Park(Interest::Write, Sending::parking(now)),
                    verdict => reason(verdict),
                }
            }
            State::Linger(_) if cx.shared.draining.load(Ordering::Relaxed) => {
                return self.end_when_taken(cx);
            }
            State::Linger(_) => return Next::Close,
        };
        self.give_up(reason, ApiError::Timeout, cx)
    }

    /// Ends whatever it is at; a client that waits for an answer gets this one, as far as that goes without waiting.
    pub fn give_up(&mut self, reason: CloseReason, error: ApiError, cx: &mut Context<'_>) -> Next {
        cx.shared.metrics.closed(reason);
        match std::mem::replace(&mut self.state, State::Head(Waiting::default())) {
            State::Head(Waiting { since: Some(_), .. }) => {
                let (ids, now) = (&cx.shared.ids, cx.shared.clock.now());
                let exchange = Exchange::without_head(&self.inbox, &self.peer, ids, now);
                self.answer_and_close(error, exchange, cx);
            }
            State::Body(receiving) => self.answer_and_close(error, receiving.exchange, cx),
            State::Send(sending) => sending.exchange.end(cx.shared, Some(reason.as_str())),
            State::Head(_) | State::Drain(_) | State::Linger(_) => {}
        }
        Next::Close
    }

    /// Another connection is to have its place, as no request is under way.
    pub fn evict(&mut self, cx: &mut Context<'_>) -> Next {
        self.kept_for_request(cx)
            .unwrap_or_else(|| self.give_up(CloseReason::Evicted, ApiError::Overloaded, cx))
    }

    /// The process is ending and no request is under way.
    pub fn end_idle(&mut self, cx: &mut Context<'_>) -> Next {
        self.kept_for_request(cx)
            .unwrap_or_else(|| self.end_when_taken(cx))
    }

    /// Closes when the client's side has all that was sent. Until then the process must stay: in a container the network,
    /// and what the kernel still holds for it, ends with it.
    fn end_when_taken(&mut self, cx: &mut Context<'_>) -> Next {
        if unacked_bytes(&self.socket).is_none_or(|unacked| unacked == 0) {
            return Next::Close;
        }
        match self.start_lingering(cx) {
            Step::Continue => self.advance(cx),
            Step::Park(interest, parking) => Next::Park(interest, parking),
            Step::Close => Next::Close,
        }
    }

    /// Reads what has come into the buffer.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Received {
        loop {
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => return Received::End,
                Ok((length, _)) => return Received::Bytes(length),
                Err(Errno::AGAIN) => return Received::Nothing,
                Err(Errno::INTR) => {}
                Err(_) => return Received::End,
            }
        }
    }

    /// Waits for a head, or for the rest of one.
    pub(super) fn park_for_head(&mut self, waiting: Waiting, cx: &Context<'_>) -> Step {
        let parking = match waiting.since {
            Some(since) => Parking {
                deadline: since + HEAD_TIME_MAX,
                idle: false,
            },
            None => Self::first_parking(cx.shared.clock.now()),
        };
        self.state = State::Head(waiting);
        Step::Park(Interest::Read, parking)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The reason that a verdict other than fine gives.
pub(super) fn reason(verdict: Verdict) -> CloseReason {
    match verdict {
        Verdict::Slow => CloseReason::Slow,
        Verdict::Fine | Verdict::Stalled => CloseReason::Stalled,
    }
}

/// Weighs the progress of an answer by what the client's side has acknowledged of all that was sent.
fn observe_sending(socket: &OwnedFd, pace: &mut Pace, sent_bytes: u64, now: Instant) -> Verdict {
    match unacked_bytes(socket) {
        Some(unacked) => pace.observe(now, sent_bytes.saturating_sub(unacked), STALL_TIME_MAX),
        // Only what the socket took can be seen: a full buffer may take an honest client most of a minute.
        None => pace.observe(now, sent_bytes, PACE_WINDOW),
    }
}
