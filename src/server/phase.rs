//! The phases of a connection: what each one waits for, holds and shows, and how it is ended.
//!
//! Invariant: no phase is ended before it has asked its socket: a deadline gives the connection a
//! turn like an event does.

use super::answer::AnswerPhase;
use super::body::BodyPhase;
use super::context::Context;
use super::exchange::Exchange;
use super::handshake::HandshakePhase;
use super::head::HeadPhase;
use super::linger::LingerPhase;
use super::poller::Interest;
use super::skip::SkipPhase;
use super::storing::StoringPhase;
use super::table::Parking;
use super::waiting::WaitingPhase;
use super::wire::Wire;
use crate::http::service::Refusal;
use crate::limits::WAITING_RECHECK_INTERVAL;
use crate::metrics::{Activity, CloseReason, Handshake};
use std::time::Instant;

pub enum Phase {
    /// Before the first request of a TLS connection.
    Handshake(HandshakePhase),
    /// Between requests, or in the middle of a head.
    Head(HeadPhase),
    /// A request's body goes to its sink.
    Body(Box<BodyPhase>),
    /// The request is complete; another thread makes its answer.
    Storing(Box<StoringPhase>),
    /// Another thread finds out what the application needs for its reply.
    Waiting(Box<WaitingPhase>),
    /// An answer goes to the client.
    Answer(Box<AnswerPhase>),
    /// The rest of a body is thrown away, to keep the connection.
    Skip(Box<SkipPhase>),
    /// Nothing is sent any more; what arrives is thrown away.
    Linger(LingerPhase),
    Closed,
}

impl Phase {
    /// The event and the deadline that the phase waits for; no event where its socket is not
    /// watched.
    pub fn wait(&self, wire: &Wire, cx: &Context<'_>) -> Option<(Option<Interest>, Parking)> {
        let (interest, parking) = match self {
            Self::Handshake(handshake) if handshake.is_idle() => {
                (Some(Interest::Read), Parking::Idle(handshake.deadline(cx)))
            }
            Self::Handshake(handshake) => {
                // The server's message is sent before the client's next one is awaited.
                let interest = if wire.has_unsent() {
                    Interest::Write
                } else {
                    Interest::Read
                };
                (Some(interest), Parking::Active(handshake.deadline(cx)))
            }
            Self::Head(head) if head.is_idle() => {
                (Some(Interest::Read), Parking::Idle(head.deadline(cx)))
            }
            Self::Head(head) => (Some(Interest::Read), Parking::Active(head.deadline(cx))),
            Self::Body(body) => {
                let interest = body.interest(wire);
                (Some(interest), Parking::Active(body.check_at(cx)))
            }
            Self::Storing(_) => (None, Parking::Storing),
            Self::Waiting(waiting) => (None, Parking::Active(waiting.recheck_at())),
            Self::Answer(answer) if answer.awaits_bytes() => {
                let recheck_at = cx.now() + WAITING_RECHECK_INTERVAL;
                (None, Parking::Active(recheck_at))
            }
            Self::Answer(answer) => {
                let check_at = answer.check_at().unwrap_or(cx.now());
                (Some(Interest::Write), Parking::Active(check_at))
            }
            Self::Skip(skip) => (Some(Interest::Read), Parking::Active(skip.check_at(cx))),
            Self::Linger(linger) => (Some(Interest::Read), Parking::Active(linger.until)),
            Self::Closed => return None,
        };
        Some((interest, parking))
    }

    /// Since when the phase holds memory, and how much. What a body's sink holds is not counted:
    /// it takes the token.
    pub fn holding(&self) -> Option<(Instant, usize)> {
        let holding = match self {
            Self::Handshake(handshake) => (handshake.since(), 0),
            Self::Head(head) => (head.since(), 0),
            Self::Body(body) => (body.exchange().started, body.exchange().held_bytes()),
            Self::Storing(storing) => (storing.exchange().started, storing.exchange().held_bytes()),
            Self::Waiting(waiting) => (waiting.exchange().started, waiting.exchange().held_bytes()),
            Self::Answer(answer) => (answer.exchange().started, answer.held_bytes()),
            Self::Skip(_) | Self::Linger(_) | Self::Closed => return None,
        };
        Some(holding)
    }

    pub fn activity(&self) -> Option<Activity> {
        match self {
            Self::Handshake(handshake) if handshake.is_idle() => Some(Activity::Idle),
            Self::Handshake(_) => Some(Activity::Handshake),
            Self::Head(head) if head.is_idle() => Some(Activity::Idle),
            Self::Head(_) => Some(Activity::Head),
            Self::Body(_) => Some(Activity::Body),
            Self::Storing(_) | Self::Waiting(_) => Some(Activity::Storing),
            Self::Answer(_) => Some(Activity::Answer),
            Self::Skip(_) | Self::Linger(_) => Some(Activity::Leaving),
            Self::Closed => None,
        }
    }

    /// Ends the phase. A client that waits for an answer is sent this refusal, as far as the socket
    /// takes it at once.
    pub fn end(self, reason: CloseReason, refusal: Refusal, wire: &mut Wire, cx: &mut Context<'_>) {
        cx.env.metrics.closed(reason);
        match self {
            Self::Head(head) if !head.is_idle() => {
                let exchange = Exchange::without_head(wire.inbox(), wire, cx);
                AnswerPhase::send_last(refusal, exchange, wire, cx);
            }
            Self::Body(body) => AnswerPhase::send_last(refusal, body.abandon(), wire, cx),
            Self::Waiting(waiting) => {
                AnswerPhase::send_last(refusal, waiting.abandon(), wire, cx);
            }
            Self::Answer(answer) => {
                wire.reset_on_close();
                answer.end(Some(reason.as_str()), cx);
            }
            Self::Handshake(handshake) if !handshake.is_idle() => {
                cx.env.metrics.tls.handshake(Handshake::Failed);
            }
            // The change goes on; its answer has nowhere to go.
            Self::Storing(_) => {}
            Self::Handshake(_) | Self::Head(_) | Self::Skip(_) | Self::Linger(_) | Self::Closed => {
            }
        }
    }
}
