//! What is read and thrown away: the rest of a body that nobody wants, and whatever comes before a close.
//!
//! Invariants: no more is read over than keeping the connection is worth; a closing connection waits for its client to
//! have read its answer, but not for ever.
//!
//! Source: RFC 9112, sections 9.3 and 9.6.

use super::connection::{Connection, Context, Received, State, Step};
use super::poller::Interest;
use super::table::Parking;
use crate::http::body::BodyDecoder;
use crate::http::chunked::Chunk;
use crate::limits::{DRAIN_BYTES_MAX, LINGER_TIME_MAX, STALL_TIME_MAX};
use std::time::Instant;

/// What of a request has not been read when it is answered.
#[derive(Debug)]
pub(super) enum Unread {
    /// Nothing.
    Nothing,
    /// The rest of its body, which is worth reading over.
    Body(Box<Draining>),
    /// Something that cannot be told apart from a next request, or is not worth reading.
    Garbage,
}

/// The rest of a body that nobody wants.
#[derive(Debug)]
pub(super) struct Draining {
    decoder: BodyDecoder,
    left_bytes: u64,
    deadline: Instant,
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
    fn new(decoder: BodyDecoder, deadline: Instant) -> Self {
        Self {
            decoder,
            left_bytes: DRAIN_BYTES_MAX,
            deadline,
        }
    }

    fn read_over(&mut self, bytes: &mut &[u8]) -> Drained {
        loop {
            match self.decoder.next(bytes) {
                Ok(Chunk::Data(data)) => match self.left_bytes.checked_sub(data.len() as u64) {
                    Some(left) => self.left_bytes = left,
                    None => return Drained::TooMuch,
                },
                Ok(Chunk::NeedMore) => return Drained::More,
                Ok(Chunk::End) => return Drained::Over,
                Err(_) => return Drained::TooMuch,
            }
        }
    }
}

impl Connection {
    /// Decides what to do about a body that nobody wants, from what has come of it. A connection is promised to be kept
    /// only where that can be held: the body's end is here already, or it is announced and near.
    pub(super) fn read_over_received(&mut self, decoder: BodyDecoder, now: Instant) -> Unread {
        let mut draining = Draining::new(decoder, now + STALL_TIME_MAX);
        let inbox = std::mem::take(&mut self.inbox);
        let mut rest = &inbox[..];
        match draining.read_over(&mut rest) {
            Drained::Over => {
                self.inbox = rest.to_vec();
                Unread::Nothing
            }
            Drained::More => match draining.decoder.bytes_left() {
                Some(left) if left <= draining.left_bytes => Unread::Body(Box::new(draining)),
                _ => Unread::Garbage,
            },
            Drained::TooMuch => Unread::Garbage,
        }
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

    /// Closes the sending side and waits for the client to have read its answer, so that no reset overtakes it.
    pub(super) fn start_lingering(&mut self, cx: &Context<'_>) -> Step {
        self.inbox = Vec::new();
        if rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Write).is_err() {
            return Step::Close;
        }
        self.state = State::Linger(cx.shared.clock.now() + LINGER_TIME_MAX);
        Step::Continue
    }
}
