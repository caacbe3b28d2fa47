//! The head phase: between requests, and in the middle of a request's head.
//!
//! Invariants: a body's length is decided with its head and never again; a handler that panics is
//! answered with 500 and costs its connection, nothing else; between requests a connection holds
//! no buffer.
//!
//! Sources: RFC 9112, sections 3 and 9.3; RFC 9110, section 10.1.1 (100-continue).

use super::answer::AnswerPhase;
use super::body::BodyPhase;
use super::context::Context;
use super::exchange::Exchange;
use super::skip::{SkipPhase, Unread};
use super::socket::Received;
use super::storing::StoringPhase;
use super::waiting::WaitingPhase;
use super::wire::Wire;
use crate::disk_gate::DiskGate;
use crate::http::body::BodyDecoder;
use crate::http::fields;
use crate::http::framing::Framing;
use crate::http::head::{self, Expectation, Head, Parsed};
use crate::http::service::{Decision, Refusal, Reply, Request};
use crate::limits::{HEAD_RECEIVE_BYTES, HEAD_TIME_MAX};
use crate::metrics::CloseReason;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

#[derive(Debug)]
pub struct HeadPhase {
    /// When the last request ended, or the connection was accepted.
    entered: Instant,
    /// When the first byte of the head was received; `None` between requests.
    began: Option<Instant>,
    /// Bytes at the front of the inbox that are known to be an incomplete head.
    examined: usize,
    /// When the head was complete, where the request had to wait since: for the disk, or for what
    /// another thread finds out.
    put_off: Option<Instant>,
}

pub enum HeadOutcome {
    /// Too many workers are in calls to the disk. The request is decided again later.
    DiskBusy(HeadPhase),
    /// The head is not complete, or has not begun.
    Incomplete(HeadPhase),
    /// The request is answered without its body, or refused.
    Answer(Box<AnswerPhase>),
    /// The application wants the request's body.
    Body(Box<BodyPhase>),
    /// Another thread makes the answer.
    Storing(Box<StoringPhase>),
    /// The application is to be asked again.
    Waiting(Box<WaitingPhase>),
    /// The head is not complete in time, or the connection was idle for too long.
    Late(CloseReason, HeadPhase),
    /// The client closed its sending side in the middle of a head.
    CutShort,
    /// The client closed the connection.
    Left,
}

impl HeadPhase {
    pub fn new(now: Instant) -> Self {
        Self {
            entered: now,
            began: None,
            examined: 0,
            put_off: None,
        }
    }

    /// The phase of a connection whose inbox begins with a complete head, for which the application
    /// was asked at this time and has no reply yet.
    pub fn again(asked: Instant) -> Self {
        Self {
            put_off: Some(asked),
            ..Self::new(asked)
        }
    }

    /// Whether no byte of a head has been received.
    pub fn is_idle(&self) -> bool {
        self.began.is_none()
    }

    pub fn deadline(&self, cx: &Context<'_>) -> Instant {
        match self.began {
            Some(began) => began + HEAD_TIME_MAX,
            None => self.entered + cx.env.idle_time_max,
        }
    }

    /// Since when it holds what it has received.
    pub fn since(&self) -> Instant {
        self.began.unwrap_or(self.entered)
    }

    /// The outcome after the socket was asked.
    fn incomplete(self, cx: &Context<'_>) -> HeadOutcome {
        match self.began {
            _ if cx.now() < self.deadline(cx) => HeadOutcome::Incomplete(self),
            Some(_) => HeadOutcome::Late(CloseReason::Head, self),
            None => HeadOutcome::Late(CloseReason::Idle, self),
        }
    }

    pub fn advance(self, wire: &mut Wire, cx: &mut Context<'_>) -> HeadOutcome {
        let mut buffer = std::mem::take(&mut cx.buffer);
        let outcome = self.read(&mut buffer, wire, cx);
        cx.buffer = buffer;
        outcome
    }

    fn read(mut self, buffer: &mut [u8], wire: &mut Wire, cx: &mut Context<'_>) -> HeadOutcome {
        let mut inbox = wire.take_inbox();
        let mut received = 0;
        if inbox.len() == self.examined {
            match wire.receive(buffer, HEAD_RECEIVE_BYTES, &mut cx.scratch) {
                Received::Bytes(length) => received = length,
                Received::Nothing => {
                    wire.set_inbox(inbox);
                    return self.incomplete(cx);
                }
                Received::End if inbox.is_empty() => return HeadOutcome::Left,
                Received::End => {
                    wire.set_inbox(inbox);
                    return HeadOutcome::CutShort;
                }
            }
            if !inbox.is_empty() {
                inbox.extend_from_slice(&buffer[..received]);
            }
        }
        let bytes = if inbox.is_empty() {
            &buffer[..received]
        } else {
            &inbox[..]
        };
        let mut slots = fields::field_slots();
        match head::parse(bytes, &mut slots) {
            Ok(Parsed::Complete(head, length)) => {
                wire.set_inbox(bytes[length..].to_vec());
                let outcome = decide(&head, self.put_off, wire, cx);
                if matches!(outcome, Ok(HeadOutcome::Waiting(_))) {
                    wire.set_inbox(bytes.to_vec());
                }
                outcome.unwrap_or_else(|complete_at| {
                    self.began.get_or_insert(complete_at);
                    self.put_off = Some(complete_at);
                    self.examined = 0;
                    wire.set_inbox(bytes.to_vec());
                    HeadOutcome::DiskBusy(self)
                })
            }
            Ok(Parsed::Incomplete) => {
                self.began.get_or_insert_with(|| cx.now());
                self.examined = bytes.len();
                wire.set_inbox(bytes.to_vec());
                self.incomplete(cx)
            }
            Err(error) => {
                let exchange = Exchange::without_head(bytes, wire, cx);
                let answer = AnswerPhase::refusal(Refusal::Head(error), exchange, wire, cx);
                HeadOutcome::Answer(answer)
            }
        }
    }
}

/// Hands a complete head to the application; the time of its completion where that is to be tried
/// again.
fn decide(
    head: &Head<'_, '_>,
    put_off: Option<Instant>,
    wire: &mut Wire,
    cx: &mut Context<'_>,
) -> Result<HeadOutcome, Instant> {
    let env = cx.env;
    cx.ended_at = None;
    let mut exchange = Exchange::begin(head, wire, cx);
    exchange.started = put_off.unwrap_or(exchange.started);
    let own_address;
    let authority = if let Some(authority) = head.authority {
        authority
    } else {
        own_address = wire.own_address();
        &own_address
    };
    let request = Request {
        method: &head.method,
        target: head.target,
        fields: head.fields,
        framing: head.framing,
        expectation: head.expectation,
        authority,
        channel: wire.channel(),
    };
    let respond = AssertUnwindSafe(|| env.service.respond(&request));
    let Some(decided) = DiskGate::attempt(|| catch_unwind(respond)) else {
        return Err(exchange.started);
    };
    let Ok(Decision {
        route,
        token,
        reply,
    }) = decided
    else {
        return Ok(HeadOutcome::Answer(AnswerPhase::panicked(
            exchange, wire, cx,
        )));
    };
    exchange.route = route;
    exchange.token = token;
    let expects_continue = head.expectation == Expectation::Continue && wire.inbox().is_empty();
    let unread = |wire: &mut Wire| match head.framing {
        Framing::None => Unread::Nothing,
        // The client may or may not send the body, so the next bytes are ambiguous.
        _ if expects_continue => Unread::Garbage,
        _ => SkipPhase::unread(BodyDecoder::new(head.framing), wire),
    };
    Ok(match reply {
        Reply::Now(response) => {
            let unread = unread(wire);
            HeadOutcome::Answer(AnswerPhase::new(response, exchange, unread, wire, cx))
        }
        Reply::Later(start) => {
            HeadOutcome::Storing(StoringPhase::new(start, exchange, unread(wire)))
        }
        Reply::Again(awaited) => HeadOutcome::Waiting(WaitingPhase::new(awaited, exchange, cx)),
        Reply::Body(sink) => {
            let decoder = BodyDecoder::new(head.framing);
            let body = BodyPhase::new(exchange, decoder, sink, expects_continue, cx.now());
            HeadOutcome::Body(body)
        }
    })
}
