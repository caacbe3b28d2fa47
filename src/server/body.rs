//! Bodies of requests, from the socket to their sinks.
//!
//! Invariants: a sink gets exactly the content of its body; what follows it stays in the inbox; a sink whose body does not
//! come to its end is dropped unfinished.
//!
//! Source: RFC 9112, sections 6 and 8 (incomplete messages).

use super::connection::{Connection, Context, Received, State, Step, reason};
use super::discard::Unread;
use super::exchange::Exchange;
use super::pace::{Pace, Verdict};
use super::poller::Interest;
use super::table::Parking;
use crate::app::error::ApiError;
use crate::http::body::BodyDecoder;
use crate::http::chunked::Chunk;
use crate::http::service::BodySink;
use crate::limits::{RECEIVE_TURN_BYTES, STALL_TIME_MAX};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// A body on its way to its sink.
pub(super) struct Receiving {
    pub(super) exchange: Exchange,
    decoder: BodyDecoder,
    sink: Box<dyn BodySink>,
    pace: Pace,
}

impl std::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiving")
            .field("exchange", &self.exchange)
            .field("decoder", &self.decoder)
            .finish_non_exhaustive()
    }
}

impl Receiving {
    /// A body that begins to come now.
    pub(super) fn new(
        exchange: Exchange,
        decoder: BodyDecoder,
        sink: Box<dyn BodySink>,
        now: Instant,
    ) -> Self {
        Self {
            exchange,
            decoder,
            sink,
            pace: Pace::new(now, 0),
        }
    }
}

/// What feeding a sink came to.
enum Fed {
    More(Box<Receiving>),
    Over(Step),
}

impl Connection {
    /// Feeds a body to its sink as far as it has come.
    pub(super) fn read_body(
        &mut self,
        mut receiving: Box<Receiving>,
        cx: &mut Context<'_>,
    ) -> Step {
        loop {
            // With nothing in it, too: a body of no bytes is complete before any come.
            let inbox = std::mem::take(&mut self.inbox);
            match self.feed(receiving, &inbox, cx) {
                Fed::More(back) => receiving = back,
                Fed::Over(step) => return step,
            }
            if cx.turn.received_bytes >= RECEIVE_TURN_BYTES {
                return self.park_for_body(receiving, cx);
            }
            let mut buffer = std::mem::take(&mut cx.buffer);
            let received = self.receive(&mut buffer);
            let fed = match received {
                Received::Bytes(length) => {
                    cx.turn.received_bytes += length;
                    self.feed(receiving, &buffer[..length], cx)
                }
                Received::Nothing => Fed::Over(self.park_for_body(receiving, cx)),
                Received::End => {
                    // Whoever closed only the sending side still reads why nothing came of it.
                    drop(receiving.sink);
                    self.answer_and_close(ApiError::BodyCutShort, receiving.exchange, cx);
                    Fed::Over(Step::Close)
                }
            };
            cx.buffer = buffer;
            match fed {
                Fed::More(back) => receiving = back,
                Fed::Over(step) => return step,
            }
        }
    }

    /// Waits for more of a body, unless it comes too slowly.
    fn park_for_body(&mut self, mut receiving: Box<Receiving>, cx: &mut Context<'_>) -> Step {
        let now = cx.shared.clock.now();
        let received = receiving.exchange.received_bytes;
        let verdict = receiving.pace.observe(now, received, STALL_TIME_MAX);
        if verdict != Verdict::Fine {
            cx.shared.metrics.closed(reason(verdict));
            drop(receiving.sink);
            self.answer_and_close(ApiError::Timeout, receiving.exchange, cx);
            return Step::Close;
        }
        let parking = Parking {
            deadline: receiving.pace.stalled_at(),
            idle: false,
        };
        self.state = State::Body(receiving);
        Step::Park(Interest::Read, parking)
    }

    /// Feeds bytes to a body's sink; what follows the body goes into the inbox.
    fn feed(&mut self, mut receiving: Box<Receiving>, bytes: &[u8], cx: &mut Context<'_>) -> Fed {
        let mut rest = bytes;
        loop {
            let data = match receiving.decoder.next(&mut rest) {
                Ok(Chunk::Data(data)) => data,
                Ok(Chunk::NeedMore) => return Fed::More(receiving),
                Ok(Chunk::End) => {
                    self.inbox = rest.to_vec();
                    return Fed::Over(self.finish(*receiving, cx));
                }
                Err(error) => {
                    drop(receiving.sink);
                    let response = ApiError::Chunks(error).into_response();
                    let unread = Unread::Garbage;
                    return Fed::Over(self.answer(response, receiving.exchange, unread, cx));
                }
            };
            receiving.exchange.received_bytes += data.len() as u64;
            let outcome = catch_unwind(AssertUnwindSafe(|| receiving.sink.feed(data)));
            match outcome {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(response)) => {
                    self.inbox = rest.to_vec();
                    let Receiving {
                        exchange,
                        decoder,
                        sink,
                        ..
                    } = *receiving;
                    // What it took is gone, and its space free, before the client is told.
                    drop(sink);
                    let unread = self.read_over_received(decoder, cx.shared.clock.now());
                    return Fed::Over(self.answer(response, exchange, unread, cx));
                }
                Err(_) => {
                    drop(receiving.sink);
                    return Fed::Over(self.answer_panic(receiving.exchange, cx));
                }
            }
        }
    }

    /// The body is complete.
    fn finish(&mut self, receiving: Receiving, cx: &mut Context<'_>) -> Step {
        let Receiving { exchange, sink, .. } = receiving;
        match catch_unwind(AssertUnwindSafe(|| sink.finish())) {
            Ok(response) => self.answer(response, exchange, Unread::Nothing, cx),
            Err(_) => self.answer_panic(exchange, cx),
        }
    }
}
