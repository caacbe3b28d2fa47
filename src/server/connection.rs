//! One connection: its phases, and the table of transitions between them.
//!
//! Each phase is in a file of its own. It takes the wire and the worker's context, advances as far
//! as it can without waiting for the client, and returns an outcome; [`Connection::step`] alone
//! maps an outcome to the next phase.
//!
//! Invariants:
//! - A connection never waits for the client but by being parked, with one deadline.
//! - Bytes of one request are never read as another's: what follows a body stays in the inbox, and
//!   a connection whose rest is not worth reading is closed.
//!
//! Sources: RFC 9112, sections 9.3 (persistence), 9.3.2 (pipelining), 9.6 (closing in two steps).

use super::answer::{After, AnswerOutcome, AnswerPhase};
use super::body::{BodyOutcome, BodyPhase};
use super::conn_id::ConnId;
use super::context::{Context, Turn};
use super::exchange::Exchange;
use super::handshake::{HandshakeOutcome, HandshakePhase};
use super::head::{HeadOutcome, HeadPhase};
use super::linger::{LingerOutcome, LingerPhase};
use super::pace::Verdict;
use super::poller::Interest;
use super::skip::{SkipOutcome, SkipPhase};
use super::storing::{StoringOutcome, StoringPhase};
use super::table::Parking;
use super::wire::Wire;
use crate::http::service::{Channel, Refusal};
use crate::limits::{HEAD_TIME_MAX, IDLE_TIME_MAX, REQUESTS_PER_TURN_MAX, STALL_CHECK_INTERVAL};
use crate::metrics::{Activity, CloseReason, Handshake, Metrics};
use crate::tls::Session;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

pub struct Connection {
    id: ConnId,
    wire: Wire,
    phase: Phase,
    /// The activity that the metrics currently record.
    activity: Option<Activity>,
    /// The part of the parked memory that this connection is counted for.
    pub counted_bytes: usize,
}

enum Phase {
    /// Before the first request of a TLS connection.
    Handshake(HandshakePhase),
    /// Between requests, or in the middle of a head.
    Head(HeadPhase),
    /// A request's body goes to its sink.
    Body(Box<BodyPhase>),
    /// The request is complete; another thread makes its answer.
    Storing(Box<StoringPhase>),
    /// An answer goes to the client.
    Answer(Box<AnswerPhase>),
    /// The rest of a body is thrown away, to keep the connection.
    Skip(Box<SkipPhase>),
    /// Nothing is sent any more; what arrives is thrown away.
    Linger(LingerPhase),
    Closed,
}

/// What follows an outcome.
enum Step {
    /// This phase, at once.
    Go(Phase),
    /// This phase, when the client has done its part or a deadline has passed.
    Wait(Phase),
    /// This phase, after other connections have had their turns.
    Yield(Phase),
    Close,
}

/// What the worker does with a connection after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Park it; `None` watches its socket for no event.
    Park(Option<Interest>, Parking),
    Close,
}

impl Connection {
    /// A connection that was just accepted; with a session, it speaks TLS.
    pub fn new(
        id: ConnId,
        socket: OwnedFd,
        peer: SocketAddr,
        channel: Channel,
        session: Option<Session>,
    ) -> Self {
        let phase = if session.is_some() {
            Phase::Handshake(HandshakePhase::default())
        } else {
            Phase::Head(HeadPhase::default())
        };
        Self {
            id,
            wire: Wire::new(socket, peer, channel, session),
            phase,
            activity: None,
            counted_bytes: 0,
        }
    }

    /// The table of transitions: the present phase's outcome, and what follows it.
    fn step(&mut self, cx: &mut Context<'_>) -> Step {
        use Step::{Close, Go, Wait, Yield};
        let wire = &mut self.wire;
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Handshake(handshake) => match handshake.advance(wire, cx) {
                HandshakeOutcome::Incomplete(handshake) => Wait(Phase::Handshake(handshake)),
                HandshakeOutcome::Complete => {
                    let head = Phase::Head(HeadPhase::default());
                    match wire.inbox() {
                        [] => Wait(head),
                        _ => Go(head),
                    }
                }
                HandshakeOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                HandshakeOutcome::Failed => Close,
            },
            Phase::Head(head) => match head.advance(wire, cx) {
                HeadOutcome::Incomplete(head) => Wait(Phase::Head(head)),
                HeadOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                HeadOutcome::Body(body) => Go(Phase::Body(body)),
                HeadOutcome::Storing(storing) => Go(Phase::Storing(storing)),
                HeadOutcome::Left => Close,
            },
            Phase::Body(body) => match body.advance(wire, cx) {
                BodyOutcome::Incomplete(body) => Wait(Phase::Body(body)),
                BodyOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                BodyOutcome::Storing(storing) => Go(Phase::Storing(storing)),
                BodyOutcome::Late(verdict, body) => {
                    cx.env.metrics.closed(reason(verdict));
                    AnswerPhase::send_last(Refusal::Timeout, body.abandon(), wire, cx);
                    Close
                }
                BodyOutcome::CutShort(body) => {
                    AnswerPhase::send_last(Refusal::BodyCutShort, body.abandon(), wire, cx);
                    Close
                }
            },
            Phase::Storing(storing) => match storing.advance(self.id, wire, cx) {
                StoringOutcome::Incomplete(storing) => Wait(Phase::Storing(storing)),
                StoringOutcome::Answer(answer) => Go(Phase::Answer(answer)),
            },
            Phase::Answer(answer) => match answer.advance(wire, cx) {
                AnswerOutcome::Incomplete(answer) => Wait(Phase::Answer(answer)),
                // The process is about to end, and bytes that the client has not taken end with it.
                AnswerOutcome::Sent(After::NextRequest | After::Close) if cx.is_draining() => {
                    linger(wire, cx)
                }
                AnswerOutcome::Sent(After::NextRequest) => {
                    let head = Phase::Head(HeadPhase::default());
                    match wire.inbox() {
                        [] => Wait(head),
                        _ if cx.turn.requests < REQUESTS_PER_TURN_MAX => Go(head),
                        _ => Yield(head),
                    }
                }
                AnswerOutcome::Sent(After::Skip(skip)) => Go(Phase::Skip(skip)),
                AnswerOutcome::Sent(After::Linger) => linger(wire, cx),
                AnswerOutcome::Sent(After::Close) | AnswerOutcome::Failed => Close,
            },
            Phase::Skip(skip) => match skip.advance(wire, cx) {
                SkipOutcome::Incomplete(skip) => Wait(Phase::Skip(skip)),
                SkipOutcome::BodyEnd => Go(Phase::Head(HeadPhase::default())),
                SkipOutcome::TooMuch => linger(wire, cx),
                SkipOutcome::Left => Close,
            },
            Phase::Linger(lingering) => match lingering.advance(wire, cx) {
                LingerOutcome::Waiting(lingering) => Wait(Phase::Linger(lingering)),
                LingerOutcome::Over => Close,
            },
            Phase::Closed => Close,
        }
    }

    /// Advances the connection as far as it goes without waiting for the client.
    pub fn advance(&mut self, cx: &mut Context<'_>) -> Next {
        cx.turn = Turn::default();
        loop {
            match self.step(cx) {
                Step::Go(phase) => self.phase = phase,
                Step::Wait(phase) => {
                    self.phase = phase;
                    return self.park(cx.now());
                }
                Step::Yield(phase) => {
                    self.phase = phase;
                    return Next::Park(Some(Interest::Write), Self::request_parking(cx.now()));
                }
                Step::Close => return Next::Close,
            }
        }
    }

    /// The event and the deadline that each phase waits for.
    fn park(&self, now: Instant) -> Next {
        let (interest, deadline) = match &self.phase {
            // Its own part of the handshake is sent before the client's next part is awaited.
            Phase::Handshake(HandshakePhase { since: Some(since) }) if self.wire.has_unsent() => {
                (Interest::Write, *since + HEAD_TIME_MAX)
            }
            Phase::Handshake(HandshakePhase { since: Some(since) }) => {
                (Interest::Read, *since + HEAD_TIME_MAX)
            }
            Phase::Handshake(HandshakePhase { since: None })
            | Phase::Head(HeadPhase { since: None, .. }) => {
                return Next::Park(Some(Interest::Read), Self::idle_parking(now));
            }
            Phase::Head(HeadPhase {
                since: Some(since), ..
            }) => (Interest::Read, *since + HEAD_TIME_MAX),
            Phase::Body(body) => (Interest::Read, body.stalled_at()),
            Phase::Storing(_) => return Next::Park(None, Parking::Storing),
            Phase::Answer(_) => (Interest::Write, now + STALL_CHECK_INTERVAL),
            Phase::Skip(skip) => (Interest::Read, skip.deadline(now)),
            Phase::Linger(lingering) => (Interest::Read, lingering.until),
            Phase::Closed => return Next::Close,
        };
        Next::Park(Some(interest), Parking::Active(deadline))
    }

    /// Parking for a connection between requests.
    pub fn idle_parking(now: Instant) -> Parking {
        Parking::Idle(now + IDLE_TIME_MAX)
    }

    /// Parking for a connection whose next request has arrived but is unprocessed.
    fn request_parking(now: Instant) -> Parking {
        Parking::Active(now + HEAD_TIME_MAX)
    }

    /// Its deadline has passed: it is ended, or given more time where bytes moved without an event.
    pub fn deadline_passed(&mut self, cx: &mut Context<'_>) -> Next {
        let reason = match &mut self.phase {
            Phase::Handshake(HandshakePhase { since: None })
            | Phase::Head(HeadPhase { since: None, .. }) => CloseReason::Idle,
            Phase::Handshake(_) => CloseReason::Handshake,
            Phase::Head(_) => CloseReason::Head,
            Phase::Body(_) | Phase::Skip(_) => CloseReason::Stalled,
            Phase::Answer(answer) => match answer.observe(&self.wire, cx) {
                Verdict::Fine => return self.park(cx.now()),
                verdict => reason(verdict),
            },
            Phase::Storing(_) => return self.park(cx.now()),
            Phase::Linger(_) if cx.is_draining() => return self.close_when_acknowledged(cx),
            Phase::Linger(_) | Phase::Closed => return Next::Close,
        };
        self.give_up(reason, Refusal::Timeout, cx)
    }

    /// Ends the connection. A client that waits for an answer is sent this refusal, as far as the
    /// socket takes it at once.
    pub fn give_up(&mut self, reason: CloseReason, refusal: Refusal, cx: &mut Context<'_>) -> Next {
        cx.env.metrics.closed(reason);
        let wire = &mut self.wire;
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Head(HeadPhase { since: Some(_), .. }) => {
                let exchange = Exchange::without_head(wire.inbox(), wire, cx);
                AnswerPhase::send_last(refusal, exchange, wire, cx);
            }
            Phase::Body(body) => AnswerPhase::send_last(refusal, body.abandon(), wire, cx),
            Phase::Answer(answer) => answer.end(Some(reason.as_str()), cx),
            Phase::Handshake(HandshakePhase { since: Some(_) }) => {
                cx.env.metrics.tls.handshake(Handshake::Failed);
            }
            // The change goes on; its answer has nowhere to go.
            Phase::Storing(_) => {}
            Phase::Handshake(_)
            | Phase::Head(_)
            | Phase::Skip(_)
            | Phase::Linger(_)
            | Phase::Closed => {}
        }
        Next::Close
    }

    /// Closes an idle connection in favour of a new one, unless a request has arrived meanwhile.
    pub fn evict(&mut self, cx: &mut Context<'_>) -> Next {
        if self.wire.has_arrived() {
            return Next::Park(Some(Interest::Read), Self::request_parking(cx.now()));
        }
        self.give_up(CloseReason::Evicted, Refusal::Overloaded, cx)
    }

    /// Closes an idle connection because of a shutdown, unless a request has arrived meanwhile.
    pub fn end_idle(&mut self, cx: &mut Context<'_>) -> Next {
        if self.wire.has_arrived() {
            return Next::Park(Some(Interest::Read), Self::request_parking(cx.now()));
        }
        self.close_when_acknowledged(cx)
    }

    /// Closes the connection once the client's side has all that was sent. Until then the process
    /// must stay: in a container the network, and what the kernel still holds for it, ends with
    /// the process.
    fn close_when_acknowledged(&mut self, cx: &mut Context<'_>) -> Next {
        if self.wire.unacked_bytes().is_none_or(|unacked| unacked == 0) {
            return Next::Close;
        }
        match linger(&mut self.wire, cx) {
            Step::Go(phase) => {
                self.phase = phase;
                self.advance(cx)
            }
            _ => Next::Close,
        }
    }

    /// The memory that the connection holds beside its struct while it is parked. What a body's
    /// sink holds is not counted: it takes the token.
    pub fn held_bytes(&self) -> usize {
        let answer = match &self.phase {
            Phase::Answer(answer) => answer.held_bytes(),
            Phase::Storing(storing) => storing.held_bytes(),
            _ => 0,
        };
        self.wire.held_bytes() + answer
    }

    /// Records the connection's activity in the metrics.
    pub fn record(&mut self, metrics: &Metrics) {
        let activity = match &self.phase {
            Phase::Handshake(HandshakePhase { since: None })
            | Phase::Head(HeadPhase { since: None, .. }) => Some(Activity::Idle),
            Phase::Handshake(_) => Some(Activity::Handshake),
            Phase::Head(_) => Some(Activity::Head),
            Phase::Body(_) => Some(Activity::Body),
            Phase::Storing(_) => Some(Activity::Storing),
            Phase::Answer(_) => Some(Activity::Answer),
            Phase::Skip(_) | Phase::Linger(_) => Some(Activity::Leaving),
            Phase::Closed => None,
        };
        metrics.moved(self.activity, activity);
        self.activity = activity;
    }

    /// Records the end of the connection in the metrics.
    pub fn record_closed(&mut self, metrics: &Metrics) {
        self.phase = Phase::Closed;
        self.record(metrics);
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wire.as_fd()
    }
}

/// The way into the linger phase; a broken connection is closed.
fn linger(wire: &mut Wire, cx: &Context<'_>) -> Step {
    LingerPhase::begin(wire, cx).map_or(Step::Close, |linger| Step::Go(Phase::Linger(linger)))
}

/// The reason for ending a transfer whose pace is not fine.
fn reason(verdict: Verdict) -> CloseReason {
    match verdict {
        Verdict::Slow => CloseReason::Slow,
        Verdict::Fine | Verdict::Stalled => CloseReason::Stalled,
    }
}
