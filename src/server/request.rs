//! Heads of requests, from the socket to the application.
//!
//! Invariants: a body's length is decided with its head and never again; a handler that panics is answered with 500 and
//! costs its connection, nothing else.
//!
//! Sources: RFC 9112, sections 3 and 9.3; RFC 9110, section 10.1.1 (100-continue).

use super::body::Receiving;
use super::connection::{Connection, Context, Received, State, Step, Waiting};
use super::discard::Unread;
use super::exchange::Exchange;
use crate::app::error::ApiError;
use crate::http::body::BodyDecoder;
use crate::http::fields;
use crate::http::framing::Framing;
use crate::http::head::{self, Expectation, Head, Parsed};
use crate::http::service::{Decision, Reply, Request};
use crate::limits::HEAD_RECEIVE_BYTES;
use rustix::net::SendFlags;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Connection {
    /// Reads a head, or what there is of it.
    pub(super) fn read_head(&mut self, mut waiting: Waiting, cx: &mut Context<'_>) -> Step {
        let mut buffer = std::mem::take(&mut cx.buffer);
        let mut inbox = std::mem::take(&mut self.inbox);
        let mut received = 0;
        if inbox.len() == waiting.looked_at {
            match self.receive(&mut buffer[..HEAD_RECEIVE_BYTES]) {
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
        let mut slots = fields::field_slots();
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
                let exchange = Exchange::without_head(bytes, &self.peer, &cx.shared.ids, now);
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
        let mut exchange = Exchange::begin(head, &self.peer, &shared.ids, now);
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
                    _ => self.read_over_received(decoder, now),
                };
                self.answer(response, exchange, unread, cx)
            }
            Reply::Body(sink) => {
                if waits && !self.send_continue() {
                    exchange.end(shared, Some("the client went away"));
                    return Step::Close;
                }
                let receiving = Receiving::new(exchange, decoder, sink, now);
                self.state = State::Body(Box::new(receiving));
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
}
