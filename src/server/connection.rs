//! One connection: its phases, and the table of transitions between them.
//!
//! Each phase is in a file of its own. It takes the wire and the worker's context, advances as far
//! as it can without waiting for the client, and returns an outcome; [`Connection::step`] alone
//! maps an outcome to the next phase. [`Phase`] knows what each phase waits for and how it ends.
//!
//! Invariants:
//! - A connection never waits for the client but by being parked, with one deadline.
//! - Bytes of one request are never read as another's: what follows a body stays in the inbox, and
//!   a connection whose rest is not worth reading is closed.
//!
//! Sources: RFC 9112, sections 9.3 (persistence), 9.3.2 (pipelining), 9.6 (closing in two steps).

use super::answer::{After, AnswerOutcome, AnswerPhase};
use super::body::BodyOutcome;
use super::conn_id::ConnId;
use super::context::{Context, Turn};
use super::exchange::Exchange;
use super::handshake::{HandshakeOutcome, HandshakePhase};
use super::head::{HeadOutcome, HeadPhase};
use super::linger::{LingerOutcome, LingerPhase};
use super::phase::Phase;
use super::poller::{Interest, Poller};
use super::skip::SkipOutcome;
use super::storing::StoringOutcome;
use super::table::{Holding, Parking};
use super::waiting::{WaitingOutcome, WaitingPhase};
use super::wire::Wire;
use crate::http::service::{Channel, Refusal};
use crate::limits::{HEAD_TIME_MAX, PARKED_RESERVE_BYTES, REQUESTS_PER_TURN_MAX};
use crate::metrics::{Activity, CloseReason, Metrics};
use crate::tls::Session;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

pub struct Connection {
    id: ConnId,
    wire: Wire,
    phase: Phase,
    /// What the poller watches the socket for.
    watched: Option<Interest>,
    /// The activity that the metrics currently record.
    activity: Option<Activity>,
}

/// What follows an outcome.
enum Step {
    /// This phase, at once.
    Go(Phase),
    /// This phase, when the client has done its part or a deadline has passed.
    Wait(Phase),
    /// This phase, after other connections have had their turns.
    Yield(Phase),
    /// This phase, when the disk may have room for another worker.
    Retry(Phase),
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
        (channel, session): (Channel, Option<Session>),
        cx: &Context<'_>,
    ) -> Self {
        let phase = if session.is_some() {
            Phase::Handshake(HandshakePhase::new(cx.now()))
        } else {
            Phase::Head(HeadPhase::new(cx.now()))
        };
        let wire = Wire::new(socket, peer, channel, session);
        if cx.env.sock_diag.is_unsupported() {
            wire.bound_send_buffer();
        }
        Self {
            id,
            wire,
            phase,
            watched: None,
            activity: None,
        }
    }

    /// The table of transitions: the present phase's outcome, and what follows it.
    fn step(&mut self, cx: &mut Context<'_>) -> Step {
        use Step::{Close, Go, Retry, Wait};
        let wire = &mut self.wire;
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Handshake(handshake) => match handshake.advance(wire, cx) {
                HandshakeOutcome::Incomplete(handshake) => Wait(Phase::Handshake(handshake)),
                HandshakeOutcome::Complete => next_request(wire, cx),
                HandshakeOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                HandshakeOutcome::Late(why, phase) => late(why, Phase::Handshake(phase), wire, cx),
                HandshakeOutcome::Failed => Close,
            },
            Phase::Head(head) => match head.advance(wire, cx) {
                HeadOutcome::Incomplete(head) => Wait(Phase::Head(head)),
                HeadOutcome::DiskBusy(head) => Retry(Phase::Head(head)),
                HeadOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                HeadOutcome::Body(body) => Go(Phase::Body(body)),
                HeadOutcome::Storing(storing) => Go(Phase::Storing(storing)),
                HeadOutcome::Waiting(waiting) => Go(Phase::Waiting(waiting)),
                HeadOutcome::Late(reason, head) => late(reason, Phase::Head(head), wire, cx),
                HeadOutcome::CutShort => {
                    let exchange = Exchange::without_head(wire.inbox(), wire, cx);
                    cut_short(Refusal::HeadCutShort, exchange, wire, cx)
                }
                HeadOutcome::Left => Close,
            },
            Phase::Body(body) => match body.advance(wire, cx) {
                BodyOutcome::Incomplete(body) => Wait(Phase::Body(body)),
                BodyOutcome::DiskBusy(body) => Retry(Phase::Body(body)),
                BodyOutcome::Answer(answer) => Go(Phase::Answer(answer)),
                BodyOutcome::Storing(storing) => Go(Phase::Storing(storing)),
                BodyOutcome::Late(reason, body) => late(reason, Phase::Body(body), wire, cx),
                BodyOutcome::CutShort(body) => {
                    cut_short(Refusal::BodyCutShort, body.abandon(), wire, cx)
                }
            },
            Phase::Storing(storing) => match storing.advance(self.id, wire, cx) {
                StoringOutcome::Incomplete(storing) => Wait(Phase::Storing(storing)),
                StoringOutcome::Answer(answer) => Go(Phase::Answer(answer)),
            },
            Phase::Waiting(waiting) => wait_on(waiting, self.id, cx),
            Phase::Answer(answer) => match answer.advance(self.id, wire, cx) {
                AnswerOutcome::Incomplete(answer) => Wait(Phase::Answer(answer)),
                AnswerOutcome::DiskBusy(answer) => Retry(Phase::Answer(answer)),
                AnswerOutcome::Late(why, answer) => late(why, Phase::Answer(answer), wire, cx),
                // The process is about to end, and bytes that the client has not taken end with it.
                AnswerOutcome::Sent(After::Close) if cx.is_draining() => linger(wire, cx),
                AnswerOutcome::Sent(After::NextRequest) if cx.is_draining() => {
                    last_request(wire, cx)
                }
                AnswerOutcome::Sent(After::NextRequest) => next_request(wire, cx),
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
        cx.ended_at = None;
        loop {
            match self.step(cx) {
                Step::Go(phase) => self.phase = phase,
                Step::Wait(phase) => {
                    self.phase = phase;
                    let waits = self.phase.wait(&self.wire, cx);
                    return waits
                        .map_or(Next::Close, |(event, parking)| Next::Park(event, parking));
                }
                Step::Yield(phase) => {
                    self.phase = phase;
                    return Next::Park(Some(Interest::Write), Self::request_parking(cx.now()));
                }
                Step::Retry(phase) => {
                    self.phase = phase;
                    let retry_at = cx.now() + cx.env.disk.retry_interval();
                    return Next::Park(None, Parking::Active(retry_at));
                }
                Step::Close => return Next::Close,
            }
        }
    }

    /// Notes an event of the socket. `is_ended`: it may have reported the end of the stream.
    pub fn note_event(&mut self, is_ended: bool) {
        self.wire.note_event(is_ended);
    }

    /// Has the poller report the socket. Where it reports each arrival and nothing is left to
    /// receive, there is nothing to do.
    pub fn watch(&mut self, interest: Interest, poller: &Poller) -> io::Result<()> {
        let token = self.id.token();
        match self.watched.replace(interest) {
            None => poller.add(&self.wire, token, interest),
            Some(Interest::Read) if interest == Interest::Read && self.wire.is_drained() => Ok(()),
            Some(_) => poller.arm(&self.wire, token, interest),
        }
    }

    /// Parking for a connection whose next request has arrived but is unprocessed.
    fn request_parking(now: Instant) -> Parking {
        Parking::Active(now + HEAD_TIME_MAX)
    }

    /// Ends the connection because parked connections hold too much memory.
    pub fn shed(&mut self, cx: &mut Context<'_>) -> Next {
        let phase = std::mem::replace(&mut self.phase, Phase::Closed);
        phase.end(CloseReason::Memory, Refusal::Overloaded, &mut self.wire, cx);
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

    /// The memory that the connection is counted for while it is parked, beyond its reserve.
    pub fn holding(&self) -> Option<Holding> {
        let (since, bytes) = self.phase.holding()?;
        let held_bytes = self.wire.held_bytes() + bytes;
        let bytes = held_bytes.checked_sub(PARKED_RESERVE_BYTES)?;
        Some(Holding { bytes, since })
    }

    /// Records the connection's activity in the metrics.
    pub fn record(&mut self, metrics: &Metrics) {
        let activity = self.phase.activity();
        metrics.moved(self.activity, activity);
        self.activity = activity;
    }

    /// Records the end of the connection in the metrics.
    pub fn record_closed(&mut self, metrics: &Metrics) {
        self.phase = Phase::Closed;
        self.record(metrics);
    }
}

/// The way to the next request, of which some may have arrived.
fn next_request(wire: &Wire, cx: &Context<'_>) -> Step {
    let head = Phase::Head(HeadPhase::new(cx.ended_at.unwrap_or_else(|| cx.now())));
    match wire.inbox() {
        [] => Step::Wait(head),
        _ if cx.turn.requests < REQUESTS_PER_TURN_MAX => Step::Go(head),
        _ => Step::Yield(head),
    }
}

/// The way on after an answer that did not announce the shutdown: a request that the client sent
/// meanwhile is answered.
fn last_request(wire: &mut Wire, cx: &Context<'_>) -> Step {
    if wire.inbox().is_empty() && !wire.has_arrived() {
        return linger(wire, cx);
    }
    Step::Go(Phase::Head(HeadPhase::new(cx.now())))
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

/// The application has no reply yet, or is asked again.
fn wait_on(waiting: Box<WaitingPhase>, id: ConnId, cx: &Context<'_>) -> Step {
    match waiting.advance(id, cx) {
        WaitingOutcome::Incomplete(waiting) => Step::Wait(Phase::Waiting(waiting)),
        WaitingOutcome::Again(asked) => Step::Go(Phase::Head(HeadPhase::again(asked))),
    }
}

/// Refuses a request that ended early.
fn cut_short(refusal: Refusal, exchange: Exchange, wire: &mut Wire, cx: &mut Context<'_>) -> Step {
    AnswerPhase::send_last(refusal, exchange, wire, cx);
    Step::Close
}

/// Ends a phase whose client is too slow.
fn late(reason: CloseReason, phase: Phase, wire: &mut Wire, cx: &mut Context<'_>) -> Step {
    phase.end(reason, Refusal::Timeout, wire, cx);
    Step::Close
}
