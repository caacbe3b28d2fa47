//! The linger phase: the answer is sent, the sending side is shut, and what still arrives is
//! thrown away until the client closes, so that no reset overtakes the answer.
//!
//! Invariant: a client that never closes is given `LINGER_TIME_MAX`, whatever it sends.
//!
//! Source: RFC 9112, section 9.6.

use super::context::Context;
use super::socket::Received;
use super::wire::Wire;
use crate::limits::{LINGER_TIME_MAX, RECEIVE_BUFFER_BYTES};
use std::time::Instant;

#[derive(Debug)]
pub struct LingerPhase {
    pub until: Instant,
}

pub enum LingerOutcome {
    /// The client has not closed yet.
    Waiting(LingerPhase),
    /// The client closed the connection.
    Closed,
    /// The client was given `LINGER_TIME_MAX`.
    TimeOver,
}

impl LingerPhase {
    /// Shuts the sending side; `None` where the connection is broken.
    pub fn begin(wire: &mut Wire, cx: &Context<'_>) -> Option<Self> {
        drop(wire.take_inbox());
        wire.shut_sending().then(|| Self {
            until: cx.now() + LINGER_TIME_MAX,
        })
    }

    /// Throws away one buffer of what has arrived.
    pub fn advance(self, wire: &mut Wire, cx: &mut Context<'_>) -> LingerOutcome {
        match wire.receive(&mut cx.buffer, RECEIVE_BUFFER_BYTES, &mut cx.scratch) {
            Received::End => LingerOutcome::Closed,
            _ if cx.now() >= self.until => LingerOutcome::TimeOver,
            _ => LingerOutcome::Waiting(self),
        }
    }
}
