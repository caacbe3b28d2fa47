//! The skip phase: the rest of an unwanted body is read and thrown away, to reach the next
//! request.
//!
//! Invariant: no more is skipped than keeping the connection is worth.
//!
//! Source: RFC 9112, section 9.3.

use super::context::Context;
use super::pace::Pace;
use super::socket::Received;
use super::wire::Wire;
use crate::http::body::BodyDecoder;
use crate::http::chunked::Chunk;
use crate::limits::{RECEIVE_BUFFER_BYTES, SKIP_BYTES_MAX};
use crate::metrics::CloseReason;
use std::time::Instant;

#[derive(Debug)]
pub struct SkipPhase {
    decoder: BodyDecoder,
    left_bytes: u64,
    skipped_bytes: u64,
    /// Set when the answer is sent and skipping begins.
    pace: Option<Pace>,
}

pub enum SkipOutcome {
    /// More of the body is still to arrive.
    Incomplete(Box<SkipPhase>),
    /// The rest arrives too slowly.
    Late(CloseReason, Box<SkipPhase>),
    /// The body is over; what follows is the next request's.
    BodyEnd,
    /// The rest is malformed, or longer than keeping the connection is worth.
    TooMuch,
    /// The client closed the connection.
    Left,
}

/// The part of a request that is unread when the request is answered.
#[derive(Debug)]
pub enum Unread {
    Nothing,
    /// The rest of its body, which is worth skipping.
    Body(Box<SkipPhase>),
    /// Bytes that may or may not be a next request, or that are not worth reading.
    Garbage,
}

enum Skipped {
    BodyEnd,
    NeedMore,
    TooMuch,
}

impl SkipPhase {
    /// The unread part of an unwanted body, after the inbox is skipped. Keeping the connection is
    /// promised only where the promise can be kept: the body's end has arrived, or it is announced
    /// and near.
    pub fn unread(decoder: BodyDecoder, wire: &mut Wire) -> Unread {
        let mut skip = Self {
            decoder,
            left_bytes: SKIP_BYTES_MAX,
            skipped_bytes: 0,
            pace: None,
        };
        let inbox = wire.take_inbox();
        let mut rest = &inbox[..];
        match skip.take(&mut rest) {
            Skipped::BodyEnd => {
                wire.set_inbox(rest.to_vec());
                Unread::Nothing
            }
            Skipped::NeedMore => match skip.decoder.bytes_left() {
                Some(left) if left <= skip.left_bytes => Unread::Body(Box::new(skip)),
                _ => Unread::Garbage,
            },
            Skipped::TooMuch => Unread::Garbage,
        }
    }

    pub fn check_at(&self, cx: &Context<'_>) -> Instant {
        let (now, stall_time_max) = (cx.now(), cx.stall_time_max());
        let pace = self.pace.unwrap_or(Pace::new(now, 0));
        pace.check_at(now, stall_time_max)
    }

    pub fn advance(mut self: Box<Self>, wire: &mut Wire, cx: &mut Context<'_>) -> SkipOutcome {
        let mut pace = self.pace.unwrap_or(Pace::new(cx.now(), 0));
        let mut received = wire.take_inbox();
        loop {
            let mut rest = &received[..];
            match self.take(&mut rest) {
                Skipped::BodyEnd => {
                    wire.set_inbox(rest.to_vec());
                    return SkipOutcome::BodyEnd;
                }
                Skipped::TooMuch => return SkipOutcome::TooMuch,
                Skipped::NeedMore => {}
            }
            match wire.receive(&mut cx.buffer, RECEIVE_BUFFER_BYTES, &mut cx.scratch) {
                Received::Bytes(length) => {
                    self.skipped_bytes += length as u64;
                    received = cx.buffer[..length].to_vec();
                }
                Received::End => return SkipOutcome::Left,
                Received::Nothing => {
                    let observed = pace.observe(cx.now(), self.skipped_bytes, cx.stall_time_max());
                    self.pace = Some(pace);
                    return match observed {
                        Ok(()) => SkipOutcome::Incomplete(self),
                        Err(reason) => SkipOutcome::Late(reason, self),
                    };
                }
            }
        }
    }

    fn take(&mut self, bytes: &mut &[u8]) -> Skipped {
        loop {
            match self.decoder.next(bytes) {
                Ok(Chunk::Data(data)) => match self.left_bytes.checked_sub(data.len() as u64) {
                    Some(left) => self.left_bytes = left,
                    None => return Skipped::TooMuch,
                },
                Ok(Chunk::NeedMore) => return Skipped::NeedMore,
                Ok(Chunk::End) => return Skipped::BodyEnd,
                Err(_) => return Skipped::TooMuch,
            }
        }
    }
}
