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
use super::head::{HeadOutcome, HeadPhase};
use super::linger::{LingerOutcome, LingerPhase};
use super::poller::Interest;
use super::skip::{SkipOutcome, SkipPhase};
use super::storing::{StoringOutcome, StoringPhase};
use super::table::{Holding, Parking};
use super::wire::Wire;
use crate::http::service::Refusal;
use crate::limits::{HEAD_TIME_MAX, PARKED_RESERVE_BYTES, REQUESTS_PER_TURN_MAX};
use crate::metrics::{Activity, CloseReason, Metrics};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

pub struct Connection {
    id: ConnId,
    wire: Wire,
    phase: Phase,
    /// The activity that the metrics currently record.
    activity: Option<Activity>,
}

enum Phase {
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
    /// A connection that was just accepted.
    pub fn new(id: ConnId, socket: OwnedFd, peer: SocketAddr, cx: &Context<'_>) -> Self {
        let wire = Wire::new(socket, peer);
        if cx.env.sock_diag.is_unsupported() {
            wire.bound_send_buffer();
        }
        Self {
            id,
            wire,
            phase: Phase::Head(HeadPhase::new(cx.now())),
            activity: None,
        }
    }

    /// The table of transitions: the present phase's outcome, and what follows it.
    fn step(&mut self, cx: &mut Context<'_>) -> Step {
        use Step::{Close, Go, Wait, Yield};
        let wire = &mut self.wire;
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Head(head) => match head.advance(wire, cx) {
                HeadOutcome::Incomplete(head) => Wait(Phase::Head(head)),
                HeadOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                HeadOutcome::Body(body) => Go(Phase::Body(body)),
                HeadOutcome::Storing(storing) => Go(Phase::Storing(storing)),
                HeadOutcome::Late(reason, head) => late(reason, Phase::Head(head), wire, cx),
                HeadOutcome::CutShort => {
                    let exchange = Exchange::without_head(wire.inbox(), wire, cx);
                    AnswerPhase::send_last(Refusal::HeadCutShort, exchange, wire, cx);
                    Close
                }
                HeadOutcome::Left => Close,
            },
            Phase::Body(body) => match body.advance(wire, cx) {
                BodyOutcome::Incomplete(body) => Wait(Phase::Body(body)),
                BodyOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                BodyOutcome::Storing(storing) => Go(Phase::Storing(storing)),
                BodyOutcome::Late(reason, body) => late(reason, Phase::Body(body), wire, cx),
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
                AnswerOutcome::Late(reason, answer) => {
                    late(reason, Phase::Answer(answer), wire, cx)
                }
                // The process is about to end, and bytes that the client has not taken end with it.
                AnswerOutcome::Sent(After::NextRequest | After::Close) if cx.is_draining() => {
                    linger(wire, cx)
                }
                AnswerOutcome::Sent(After::NextRequest) => {
                    let head = Phase::Head(HeadPhase::new(cx.now()));
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
                SkipOutcome::BodyEnd => Go(Phase::Head(HeadPhase::new(cx.now()))),
                SkipOutcome::Late(reason, skip) => late(reason, Phase::Skip(skip), wire, cx),
                SkipOutcome::TooMuch => linger(wire, cx),
                SkipOutcome::Left => Close,
            },
            Phase::Linger(lingering) => match lingering.advance(wire, cx) {
                LingerOutcome::Waiting(lingering) => Wait(Phase::Linger(lingering)),
                LingerOutcome::TimeOver if cx.is_draining() && owes(wire, cx) => linger(wire, cx),
                LingerOutcome::TimeOver | LingerOutcome::Closed => Close,
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
                    return self.park(cx);
                }
                Step::Yield(phase) => {
                    self.phase = phase;
                    return Next::Park(Some(Interest::Write), Self::request_parking(cx.now()));
                }
                Step::Close => return Next::Close,
            }
        }
    }

    /// The event and the deadline that each phase waits for. A deadline gives the connection a turn
    /// like an event does: no phase is ended before it has asked its socket.
    fn park(&self, cx: &Context<'_>) -> Next {
        let (interest, parking) = match &self.phase {
            Phase::Head(head) if head.is_idle() => {
                (Some(Interest::Read), Parking::Idle(head.deadline(cx)))
            }
            Phase::Head(head) => (Some(Interest::Read), Parking::Active(head.deadline(cx))),
            Phase::Body(body) => (Some(Interest::Read), Parking::Active(body.check_at(cx))),
            Phase::Storing(_) => (None, Parking::Storing),
            Phase::Answer(answer) => {
                let check_at = answer.check_at().unwrap_or(cx.now());
                (Some(Interest::Write), Parking::Active(check_at))
            }
            Phase::Skip(skip) => (Some(Interest::Read), Parking::Active(skip.check_at(cx))),
            Phase::Linger(linger) => (Some(Interest::Read), Parking::Active(linger.until)),
            Phase::Closed => return Next::Close,
        };
        Next::Park(interest, parking)
    }

    /// Parking for a connection whose next request has arrived but is unprocessed.
    fn request_parking(now: Instant) -> Parking {
        Parking::Active(now + HEAD_TIME_MAX)
    }

    /// Ends the connection because parked connections hold too much memory.
    pub fn shed(&mut self, cx: &mut Context<'_>) -> Next {
        let phase = std::mem::replace(&mut self.phase, Phase::Closed);
        let (reason, refusal) = (CloseReason::Memory, Refusal::Overloaded);
        end(reason, refusal, phase, &mut self.wire, cx);
        Next::Close
    }

    /// Closes an idle connection in favour of a new one, unless a request has arrived meanwhile.
    pub fn evict(&mut self, cx: &mut Context<'_>) -> Next {
        if self.wire.has_arrived() {
            return Next::Park(Some(Interest::Read), Self::request_parking(cx.now()));
        }
        cx.env.metrics.closed(CloseReason::Evicted);
        Next::Close
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
        if !owes(&self.wire, cx) {
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

    /// The memory that the connection is counted for while it is parked, beyond its reserve. What a
    /// body's sink holds is not counted: it takes the token.
    pub fn holding(&self) -> Option<Holding> {
        let (since, bytes) = match &self.phase {
            Phase::Head(head) => (head.since(), 0),
            Phase::Body(body) => (body.exchange().started, body.exchange().held_bytes()),
            Phase::Storing(storing) => {
                (storing.exchange().started, storing.exchange().held_bytes())
            }
            Phase::Answer(answer) => (answer.exchange().started, answer.held_bytes()),
            Phase::Skip(_) | Phase::Linger(_) | Phase::Closed => return None,
        };
        let held_bytes = self.wire.held_bytes() + bytes;
        let bytes = held_bytes.checked_sub(PARKED_RESERVE_BYTES)?;
        Some(Holding { bytes, since })
    }

    /// Records the connection's activity in the metrics.
    pub fn record(&mut self, metrics: &Metrics) {
        let activity = match &self.phase {
            Phase::Head(head) if head.is_idle() => Some(Activity::Idle),
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

/// Whether the client's side has not acknowledged all that was sent, as far as that is known.
fn owes(wire: &Wire, cx: &Context<'_>) -> bool {
    wire.acknowledged_bytes(&cx.env.sock_diag)
        .is_some_and(|acknowledged| acknowledged < wire.sent_bytes())
}

/// Ends a phase whose client is too slow.
fn late(reason: CloseReason, phase: Phase, wire: &mut Wire, cx: &mut Context<'_>) -> Step {
    end(reason, Refusal::Timeout, phase, wire, cx);
    Step::Close
}

/// Ends a phase. A client that waits for an answer is sent this refusal, as far as the socket takes
/// it at once.
fn end(reason: CloseReason, refusal: Refusal, phase: Phase, wire: &mut Wire, cx: &mut Context<'_>) {
    cx.env.metrics.closed(reason);
    match phase {
        Phase::Head(head) if !head.is_idle() => {
            let exchange = Exchange::without_head(wire.inbox(), wire, cx);
            AnswerPhase::send_last(refusal, exchange, wire, cx);
        }
        Phase::Body(body) => AnswerPhase::send_last(refusal, body.abandon(), wire, cx),
        Phase::Answer(answer) => answer.end(Some(reason.as_str()), cx),
        // The change goes on; its answer has nowhere to go.
        Phase::Storing(_) => {}
        Phase::Head(_) | Phase::Skip(_) | Phase::Linger(_) | Phase::Closed => {}
    }
}
