//! The writing half of a connection: answers from memory and from files.
//!
//! Invariants: exactly as many bytes follow a head as it announces, or the connection ends; an answer that the socket
//! does not take at once waits in the poller, never in a worker; a file is sent by the kernel and never read into memory.
//!
//! Sources: RFC 9112, sections 6.3 and 9.6; sendfile(2); tcp(7), `MSG_MORE`.

use super::connection::{Connection, Context, State, Step, Waiting};
use super::discard::{Draining, Unread};
use super::exchange::Exchange;
use super::pace::Pace;
use super::poller::Interest;
use super::table::Parking;
use crate::app::error::ApiError;
use crate::http::response::{Body, HeadContext, Response, write_head};
use crate::limits::{
    COALESCE_BYTES_MAX, REQUESTS_PER_TURN_MAX, SEND_TURN_BYTES, STALL_CHECK_INTERVAL,
};
use bytes::Buf;
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::io::IoSlice;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What follows an answer.
#[derive(Debug)]
enum After {
    /// The next request.
    Next,
    /// The rest of the body, then the next request.
    Drain(Box<Draining>),
    /// The end.
    Close,
    /// The end, once the client has read its answer.
    Linger,
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) exchange: Exchange,
    pub(super) pace: Pace,
    head: Vec<u8>,
    head_sent: usize,
    body: Body,
    after: After,
}

impl Sending {
    /// How it waits for the client.
    pub(super) fn parking(now: Instant) -> Parking {
        Parking {
            deadline: now + STALL_CHECK_INTERVAL,
            idle: false,
        }
    }

    /// The memory that it holds of its own.
    pub(super) fn held_bytes(&self) -> usize {
        self.head.capacity() + self.exchange.path().len()
    }

    fn is_complete(&self) -> bool {
        self.head_sent == self.head.len() && self.body.length() == 0
    }
}

impl Connection {
    /// Begins an answer.
    pub(super) fn answer(
        &mut self,
        response: Response,
        exchange: Exchange,
        unread: Unread,
        cx: &mut Context<'_>,
    ) -> Step {
        let keep_alive = exchange.keep_alive && !cx.shared.draining.load(Ordering::Relaxed);
        let after = match unread {
            Unread::Nothing if keep_alive => After::Next,
            Unread::Nothing if self.inbox.is_empty() => After::Close,
            Unread::Body(draining) if keep_alive => After::Drain(draining),
            _ => After::Linger,
        };
        let sending = self.prepare(response, exchange, after, cx);
        self.send(sending, cx)
    }

    /// Answers with an error as far as the socket takes it at once; the caller closes.
    pub(super) fn answer_and_close(
        &mut self,
        error: ApiError,
        exchange: Exchange,
        cx: &mut Context<'_>,
    ) {
        let sending = self.prepare(error.into_response(), exchange, After::Close, cx);
        if let Step::Park(..) = self.send(sending, cx)
            && let State::Send(sending) = &self.state
        {
            sending
                .exchange
                .end(cx.shared, Some("the client does not read"));
        }
    }

    /// A handler panicked: the panic's own message is in the log already.
    pub(super) fn answer_panic(&mut self, exchange: Exchange, cx: &mut Context<'_>) -> Step {
        cx.shared.metrics.panics.fetch_add(1, Ordering::Relaxed);
        self.answer(
            ApiError::Panic.into_response(),
            exchange,
            Unread::Garbage,
            cx,
        )
    }

    fn prepare(
        &mut self,
        response: Response,
        mut exchange: Exchange,
        after: After,
        cx: &mut Context<'_>,
    ) -> Sending {
        let mut head = std::mem::take(&mut cx.out);
        head.clear();
        exchange.status = response.status.0;
        let context = HeadContext {
            version: &exchange.version,
            keep_alive: matches!(after, After::Next | After::Drain(_)),
            date: cx.date(),
            request_id: &exchange.request_id,
        };
        write_head(&mut head, &response, context);
        let mut body = response.body;
        let without_body = exchange.head_only() || matches!(exchange.status, 204 | 304);
        match &body {
            _ if without_body => body = Body::Bytes(bytes::Bytes::new()),
            // One write for both; the bytes count as the head's and are told apart when it is complete.
            Body::Bytes(bytes) if bytes.len() <= COALESCE_BYTES_MAX => {
                head.extend_from_slice(bytes);
                exchange.sent_bytes = bytes.len() as u64;
                body = Body::Bytes(bytes::Bytes::new());
            }
            _ => {}
        }
        Sending {
            pace: Pace::new(cx.shared.clock.now(), self.sent_bytes),
            exchange,
            head,
            head_sent: 0,
            body,
            after,
        }
    }

    /// Writes an answer as far as the socket takes it.
    pub(super) fn send(&mut self, mut sending: Sending, cx: &mut Context<'_>) -> Step {
        while !sending.is_complete() {
            if cx.turn.sent_bytes >= SEND_TURN_BYTES {
                return self.park_for_room(sending, cx);
            }
            match self.send_some(&mut sending) {
                Ok(0) => {
                    // The file is shorter than it was: what was announced cannot be sent.
                    sending
                        .exchange
                        .end(cx.shared, Some("the file was cut short"));
                    return Step::Close;
                }
                Ok(length) => {
                    self.sent_bytes += length as u64;
                    cx.turn.sent_bytes += length;
                }
                Err(Errno::AGAIN) => return self.park_for_room(sending, cx),
                Err(Errno::INTR) => {}
                Err(
                    Errno::PIPE
                    | Errno::CONNRESET
                    | Errno::TIMEDOUT
                    | Errno::HOSTUNREACH
                    | Errno::NETUNREACH,
                ) => {
                    sending
                        .exchange
                        .end(cx.shared, Some("the client went away"));
                    return Step::Close;
                }
                Err(error) => {
                    // Not the client's doing, but the disk's or the system's: someone has to look into it.
                    log::error!(path = sending.exchange.path(), error:% = error; "cannot send an answer");
                    sending.exchange.end(cx.shared, Some(&error.to_string()));
                    return Step::Close;
                }
            }
        }
        sending.exchange.end(cx.shared, None);
        cx.out = sending.head;
        cx.turn.requests += 1;
        match sending.after {
            // The process is about to end, and what the client has not taken would go with it.
            After::Close | After::Next if cx.shared.draining.load(Ordering::Relaxed) => {
                self.start_lingering(cx)
            }
            After::Close => Step::Close,
            After::Linger => self.start_lingering(cx),
            After::Drain(draining) => {
                self.state = State::Drain(draining);
                Step::Continue
            }
            After::Next if self.inbox.is_empty() => self.park_for_head(Waiting::default(), cx),
            After::Next if cx.turn.requests < REQUESTS_PER_TURN_MAX => Step::Continue,
            // More requests are here already: come back as soon as others have had their turn.
            After::Next => Step::Park(Interest::Write, Self::turn_parking(cx.shared.clock.now())),
        }
    }

    fn park_for_room(&mut self, mut sending: Sending, cx: &mut Context<'_>) -> Step {
        // What waits keeps no buffer that it does not need.
        if sending.head_sent == sending.head.len() {
            cx.out = std::mem::take(&mut sending.head);
            sending.head_sent = 0;
        }
        let parking = Sending::parking(cx.shared.clock.now());
        self.state = State::Send(Box::new(sending));
        Step::Park(Interest::Write, parking)
    }

    /// One write; how much the socket took, 0 where there is nothing left to take.
    fn send_some(&mut self, sending: &mut Sending) -> rustix::io::Result<usize> {
        let head = &sending.head[sending.head_sent..];
        let more = sending.body.length() > 0;
        if head.is_empty() {
            let sent = match &mut sending.body {
                Body::Bytes(bytes) => {
                    let sent = rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL)?;
                    bytes.advance(sent);
                    sent
                }
                Body::File {
                    file,
                    offset,
                    length,
                } => {
                    let slice = usize::try_from(*length)
                        .map_or(SEND_TURN_BYTES, |l| l.min(SEND_TURN_BYTES));
                    let sent = rustix::fs::sendfile(&self.socket, &*file, Some(offset), slice)?;
                    *length -= sent as u64;
                    sent
                }
            };
            sending.exchange.sent_bytes += sent as u64;
            return Ok(sent);
        }
        let sent = match &mut sending.body {
            Body::Bytes(bytes) if more => {
                let slices = [IoSlice::new(head), IoSlice::new(bytes)];
                let sent = rustix::io::writev(&self.socket, &slices)?;
                let of_body = sent.saturating_sub(head.len());
                bytes.advance(of_body);
                sending.exchange.sent_bytes += of_body as u64;
                sent
            }
            Body::File { .. } if more => {
                let flags = SendFlags::NOSIGNAL | SendFlags::MORE;
                rustix::net::send(&self.socket, head, flags)?
            }
            _ => rustix::net::send(&self.socket, head, SendFlags::NOSIGNAL)?,
        };
        sending.head_sent += sent.min(head.len());
        Ok(sent)
    }
}
