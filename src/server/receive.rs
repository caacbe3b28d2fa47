//! The reading half of a connection: heads, bodies, and what is read over.
//!
//! Invariants: a body's length was decided with its head and is never decided again; a handler or sink that panics is
//! answered with 500 and costs its connection, nothing else.
//!
//! Sources: RFC 9112, sections 6 and 9; RFC 9110, section 10.1.1 (100-continue).

use super::connection::{Connection, Context, Received, State, Step, Waiting, reason};
use super::exchange::Exchange;
use super::pace::{Pace, Verdict};
use super::poller::Interest;
use super::send::Unread;
use super::table::Parking;
use crate::app::error::ApiError;
use crate::http::body::BodyDecoder;
use crate::http::chunked::Chunk;
use crate::http::framing::Framing;
use crate::http::head::{self, Expectation, Head, Parsed};
use crate::http::response::Response;
use crate::http::service::{BodySink, Decision, Reply, Request};
use crate::limits::{DRAIN_BYTES_MAX, RECEIVE_TURN_BYTES, STALL_TIME_MAX};
use rustix::net::SendFlags;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
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

/// The rest of a body that nobody wants.
#[derive(Debug)]
pub(super) struct Draining {
    pub(super) decoder: BodyDecoder,
    pub(super) left: u64,
    pub(super) deadline: Instant,
}

impl Connection {
    /// Reads a head, or what there is of it.
    pub(super) fn read_head(&mut self, mut waiting: Waiting, cx: &mut Context<'_>) -> Step {
        let mut buffer = std::mem::take(&mut cx.buffer);
        let mut inbox = std::mem::take(&mut self.inbox);
        let mut received = 0;
        if inbox.len() == waiting.looked_at {
            match self.receive(&mut buffer) {
                Received::Bytes(length) => received = length,
                Received::Nothing => {
                    self.inbox = inbox;
                    cx.buffer = buffer;
                    return self.park_for_head(waiting, cx);
                }
                Received::End => {
                    cx.buffer = buffer;
                    return Step::Close;
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
        let mut slots = head::field_slots();
        let step = match head::parse(bytes, &mut slots) {
            Ok(Parsed::Complete(head, length)) => self.begin(&head, &bytes[length..], cx),
            Ok(Parsed::Incomplete) => {
                waiting.since.get_or_insert_with(|| cx.shared.clock.now());
                waiting.looked_at = bytes.len();
                self.inbox = bytes.to_vec();
                self.park_for_head(waiting, cx)
            }
            Err(error) => {
                let now = cx.shared.clock.now();
                let exchange = Exchange::without_head(self.peer, &cx.shared.ids, now);
                self.answer(
                    ApiError::Head(error).into_response(),
                    exchange,
                    Unread::Garbage,
                    cx,
                )
            }
        };
        cx.buffer = buffer;
        step
    }

    /// Hands a complete head to the application. `rest`: what was received behind it.
    fn begin(&mut self, head: &Head<'_, '_>, rest: &[u8], cx: &mut Context<'_>) -> Step {
        let shared = cx.shared;
        let now = shared.clock.now();
        let mut exchange = Exchange::begin(head, self.peer, &shared.ids, now);
        self.inbox = rest.to_vec();
        let own_address;
        let authority = if let Some(authority) = head.authority {
            authority
        } else {
            own_address = self.own_address();
            &own_address
        };
        let request = Request {
            method: &head.method,
            target: head.target,
            fields: head.fields,
            framing: head.framing,
            expectation: head.expectation,
            authority,
        };
        let decided = catch_unwind(AssertUnwindSafe(|| shared.service.respond(&request)));
        let Ok(Decision { route, reply }) = decided else {
            return self.answer_panic(exchange, cx);
        };
        exchange.route = route;
        let decoder = BodyDecoder::new(head.framing);
        let waits = head.expectation == Expectation::Continue && rest.is_empty();
        match reply {
            Reply::Now(response) => {
                let unread = match head.framing {
                    Framing::None => Unread::Nothing,
                    // The client may send the body or not: nobody can tell what would come next.
                    _ if waits => Unread::Garbage,
                    _ => Unread::Body(decoder),
                };
                self.answer(response, exchange, unread, cx)
            }
            Reply::Body(sink) => {
                if waits && !self.send_continue() {
                    exchange.end(shared, Some("the client went away"));
                    return Step::Close;
                }
                self.state = State::Body(Box::new(Receiving {
                    exchange,
                    decoder,
                    sink,
                    pace: Pace::new(now, 0),
                }));
                Step::Continue
            }
        }
    }

    /// Host and port that the client connected to, for the rare HTTP/1.0 request that names none.
    fn own_address(&self) -> String {
        rustix::net::getsockname(&self.socket)
            .ok()
            .and_then(|address| std::net::SocketAddr::try_from(address).ok())
            .map_or_else(
                || "localhost".to_owned(),
                |address| {
                    let ip = address.ip().to_canonical();
                    std::net::SocketAddr::new(ip, address.port()).to_string()
                },
            )
    }

    /// Tells the client to send its body; whether the socket took it.
    fn send_continue(&mut self) -> bool {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        let sent = rustix::net::send(&self.socket, CONTINUE, SendFlags::NOSIGNAL);
        self.sent_bytes += CONTINUE.len() as u64;
        sent == Ok(CONTINUE.len())
    }

    /// Feeds a body to its sink as far as it has come.
    pub(super) fn read_body(
        &mut self,
        mut receiving: Box<Receiving>,
        cx: &mut Context<'_>,
    ) -> Step {
        loop {
            let inbox = std::mem::take(&mut self.inbox);
            if !inbox.is_empty() {
                match self.feed(receiving, &inbox, cx) {
                    Fed::More(back) => receiving = back,
                    Fed::Over(step) => return step,
                }
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
                        exchange, decoder, ..
                    } = *receiving;
                    let unread = Unread::Body(decoder);
                    return Fed::Over(self.answer(response, exchange, unread, cx));
                }
                Err(_) => return Fed::Over(self.answer_panic(receiving.exchange, cx)),
            }
        }
    }

    /// The body is complete.
    fn finish(&mut self, receiving: Receiving, cx: &mut Context<'_>) -> Step {
        let Receiving { exchange, sink, .. } = receiving;
        let response: Result<Response, _> = catch_unwind(AssertUnwindSafe(|| sink.finish()));
        match response {
            Ok(response) => self.answer(response, exchange, Unread::Nothing, cx),
            Err(_) => self.answer_panic(exchange, cx),
        }
    }

    /// A handler panicked: the panic's own message is in the log already.
    fn answer_panic(&mut self, exchange: Exchange, cx: &mut Context<'_>) -> Step {
        cx.shared.metrics.panics.fetch_add(1, Ordering::Relaxed);
        self.answer(
            ApiError::Panic.into_response(),
            exchange,
            Unread::Garbage,
            cx,
        )
    }

    /// Reads over the rest of a body, to reach the next request.
    pub(super) fn drain(&mut self, mut draining: Box<Draining>, cx: &mut Context<'_>) -> Step {
        let mut buffer = std::mem::take(&mut cx.buffer);
        let mut inbox = std::mem::take(&mut self.inbox);
        let step = loop {
            let mut rest = &inbox[..];
            match draining.read_over(&mut rest) {
                Drained::Over => {
                    self.inbox = rest.to_vec();
                    break Step::Continue;
                }
                Drained::TooMuch => break self.start_lingering(cx),
                Drained::More => {}
            }
            match self.receive(&mut buffer) {
                Received::Bytes(length) => inbox = buffer[..length].to_vec(),
                Received::End => break Step::Close,
                Received::Nothing => {
                    let parking = Parking {
                        deadline: draining.deadline,
                        idle: false,
                    };
                    self.state = State::Drain(draining);
                    break Step::Park(Interest::Read, parking);
                }
            }
        };
        cx.buffer = buffer;
        step
    }

    /// Throws away what still comes, until the client closes.
    pub(super) fn linger(&mut self, until: Instant, cx: &mut Context<'_>) -> Step {
        // A client that sends without end is given its time all the same, one buffer a turn.
        match self.receive(&mut cx.buffer) {
            Received::End => Step::Close,
            _ if cx.shared.clock.now() >= until => Step::Close,
            _ => {
                self.state = State::Linger(until);
                let parking = Parking {
                    deadline: until,
                    idle: false,
                };
                Step::Park(Interest::Read, parking)
            }
        }
    }
}

/// What feeding a sink came to.
enum Fed {
    More(Box<Receiving>),
    Over(Step),
}

enum Drained {
    /// The body's end; what follows is the next request's.
    Over,
    More,
    /// The rest is not worth reading.
    TooMuch,
}

impl Draining {
    /// The rest of a body that is to be read over by `deadline`.
    pub(super) fn new(decoder: BodyDecoder, deadline: Instant) -> Self {
        Self {
            decoder,
            left: DRAIN_BYTES_MAX,
            deadline,
        }
    }

    fn read_over(&mut self, bytes: &mut &[u8]) -> Drained {
        loop {
            match self.decoder.next(bytes) {
                Ok(Chunk::Data(data)) => match self.left.checked_sub(data.len() as u64) {
                    Some(left) => self.left = left,
                    None => return Drained::TooMuch,
                },
                Ok(Chunk::NeedMore) => return Drained::More,
                Ok(Chunk::End) => return Drained::Over,
                Err(_) => return Drained::TooMuch,
            }
        }
    }
}
