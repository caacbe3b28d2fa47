//! The body phase: the request's body is passed to its sink as it arrives.
//!
//! Invariants: a sink gets exactly the content of its body; what follows the body stays in the
//! inbox; a sink whose body is incomplete is dropped unfinished.
//!
//! Source: RFC 9112, sections 6 and 8 (incomplete messages).

use super::answer::AnswerPhase;
use super::context::Context;
use super::exchange::Exchange;
use super::pace::Pace;
use super::poller::Interest;
use super::secure::Scratch;
use super::skip::{SkipPhase, Unread};
use super::socket::{Received, Sent};
use super::storing::StoringPhase;
use super::wire::Wire;
use crate::http::body::BodyDecoder;
use crate::http::chunked::Chunk;
use crate::http::service::{BodySink, Refusal, Reply};
use crate::limits::{RECEIVE_BUFFER_BYTES, RECEIVE_TURN_BYTES};
use crate::metrics::CloseReason;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// The interim answer with which a client is asked for its body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

pub struct BodyPhase {
    exchange: Exchange,
    /// The part of the interim answer that is still to be sent.
    interim: &'static [u8],
    decoder: BodyDecoder,
    sink: Box<dyn BodySink>,
    pace: Pace,
}

pub enum BodyOutcome {
    /// Too many workers are in calls to the disk.
    DiskBusy(Box<BodyPhase>),
    /// More of the body is still to arrive, or the turn is over.
    Incomplete(Box<BodyPhase>),
    Answer(Box<AnswerPhase>),
    /// Another thread makes the answer.
    Storing(Box<StoringPhase>),
    /// The body arrives too slowly.
    Late(CloseReason, Box<BodyPhase>),
    /// The client closed its sending side before the body's end.
    CutShort(Box<BodyPhase>),
}

impl BodyPhase {
    pub fn new(
        exchange: Exchange,
        decoder: BodyDecoder,
        sink: Box<dyn BodySink>,
        expects_continue: bool,
        now: Instant,
    ) -> Box<Self> {
        Box::new(Self {
            exchange,
            interim: if expects_continue { CONTINUE } else { &[] },
            decoder,
            sink,
            pace: Pace::new(now, 0),
        })
    }

    pub fn check_at(&self, cx: &Context<'_>) -> Instant {
        self.pace.check_at(cx.now(), cx.stall_time_max())
    }

    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Undoes what the sink did, and gives back the exchange.
    pub fn abandon(self) -> Exchange {
        self.exchange
    }

    /// The client may wait for the interim answer, which may have to wait until the client has read
    /// the answers before it.
    pub fn interest(&self, wire: &Wire) -> Interest {
        if self.interim.is_empty() && !wire.has_unsent() {
            Interest::Read
        } else {
            Interest::Write
        }
    }

    /// Sends the interim answer, then feeds the sink with what has arrived.
    pub fn advance(mut self: Box<Self>, wire: &mut Wire, cx: &mut Context<'_>) -> BodyOutcome {
        match self.send_interim(wire, &mut cx.scratch) {
            Sent::Bytes(_) => {}
            Sent::NoRoom => return self.incomplete(cx),
            Sent::Gone | Sent::Failed(_) => return BodyOutcome::CutShort(self),
        }
        let mut buffer = std::mem::take(&mut cx.buffer);
        let outcome = self.receive(&mut buffer, wire, cx);
        cx.buffer = buffer;
        outcome
    }

    fn send_interim(&mut self, wire: &mut Wire, scratch: &mut Scratch) -> Sent {
        while !self.interim.is_empty() {
            match wire.send(self.interim, false, scratch) {
                Sent::Bytes(length) => self.interim = &self.interim[length..],
                other => return other,
            }
        }
        wire.flush()
    }

    fn receive(
        mut self: Box<Self>,
        buffer: &mut [u8],
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> BodyOutcome {
        let disk = &cx.env.disk;
        let Some(inside) = disk.enter() else {
            return self.put_off(cx);
        };
        // Even an empty inbox is fed: a body of no bytes is complete before any arrive.
        let inbox = wire.take_inbox();
        match self.feed(&inbox, wire, cx) {
            Ok(body) => self = body,
            Err(outcome) => return outcome,
        }
        drop((inbox, inside));
        while cx.turn.received_bytes < RECEIVE_TURN_BYTES {
            // A sink may write to the disk.
            let Some(_inside) = disk.enter() else {
                return self.put_off(cx);
            };
            match wire.receive(buffer, RECEIVE_BUFFER_BYTES, &mut cx.scratch) {
                Received::Bytes(length) => {
                    cx.turn.received_bytes += length;
                    match self.feed(&buffer[..length], wire, cx) {
                        Ok(body) => self = body,
                        Err(outcome) => return outcome,
                    }
                }
                Received::Nothing => break,
                Received::End => return BodyOutcome::CutShort(self),
            }
        }
        self.incomplete(cx)
    }

    /// The outcome after the socket was asked.
    fn incomplete(mut self: Box<Self>, cx: &Context<'_>) -> BodyOutcome {
        let received = self.exchange.received_bytes;
        let stall_time_max = cx.stall_time_max();
        match self.pace.observe(cx.now(), received, stall_time_max) {
            Ok(()) => BodyOutcome::Incomplete(self),
            Err(reason) => BodyOutcome::Late(reason, self),
        }
    }

    /// The client is not slow while this side does not receive.
    fn put_off(mut self: Box<Self>, cx: &Context<'_>) -> BodyOutcome {
        self.pace = Pace::new(cx.now(), self.exchange.received_bytes);
        BodyOutcome::DiskBusy(self)
    }

    /// Feeds bytes to the sink; the outcome where the body is over or not wanted any more. What
    /// follows the body goes into the inbox.
    fn feed(
        mut self: Box<Self>,
        bytes: &[u8],
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> Result<Box<Self>, BodyOutcome> {
        let mut rest = bytes;
        loop {
            let data = match self.decoder.next(&mut rest) {
                Ok(Chunk::Data(data)) => data,
                Ok(Chunk::NeedMore) => return Ok(self),
                Ok(Chunk::End) => {
                    wire.set_inbox(rest.to_vec());
                    return Err(self.finish(wire, cx));
                }
                Err(error) => {
                    let (refusal, exchange) = (Refusal::Chunks(error), self.abandon());
                    let answer = AnswerPhase::refusal(refusal, exchange, wire, cx);
                    return Err(BodyOutcome::Answer(answer));
                }
            };
            self.exchange.received_bytes += data.len() as u64;
            match catch_unwind(AssertUnwindSafe(|| self.sink.feed(data))) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(response)) => {
                    wire.set_inbox(rest.to_vec());
                    let Self {
                        exchange,
                        decoder,
                        sink,
                        ..
                    } = *self;
                    // The space that it took is free before the client reads the answer.
                    drop(sink);
                    let unread = SkipPhase::unread(decoder, wire);
                    let answer = AnswerPhase::new(response, exchange, unread, wire, cx);
                    return Err(BodyOutcome::Answer(answer));
                }
                Err(_) => {
                    let answer = AnswerPhase::panicked(self.abandon(), wire, cx);
                    return Err(BodyOutcome::Answer(answer));
                }
            }
        }
    }

    /// The body is complete.
    fn finish(self: Box<Self>, wire: &Wire, cx: &mut Context<'_>) -> BodyOutcome {
        let Self { exchange, sink, .. } = *self;
        let unread = Unread::Nothing;
        let finished = catch_unwind(AssertUnwindSafe(|| {
            let mut reply = sink.finish();
            // No more of a complete body can arrive for a further sink.
            while let Reply::Body(next) = reply {
                reply = next.finish();
            }
            reply
        }));
        match finished {
            Ok(Reply::Later(start)) => {
                BodyOutcome::Storing(StoringPhase::new(start, exchange, unread))
            }
            Ok(Reply::Now(response)) => {
                BodyOutcome::Answer(AnswerPhase::new(response, exchange, unread, wire, cx))
            }
            Ok(Reply::Body(_) | Reply::Again(_)) | Err(_) => {
                BodyOutcome::Answer(AnswerPhase::panicked(exchange, wire, cx))
            }
        }
    }
}
