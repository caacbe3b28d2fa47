//! The handshake phase: a connection on the TLS port until both sides have keys.
//!
//! Invariants: what a client sends in clear is answered in clear, once, and never reaches the
//! application; a handshake that fails costs its connection and one line in the log.
//!
//! Source: RFC 8446, section 4 (handshake protocol).

use super::answer::AnswerPhase;
use super::context::Context;
use super::exchange::Exchange;
use super::socket::{Received, Sent};
use super::wire::Wire;
use crate::http::service::Refusal;
use crate::limits::{HEAD_RECEIVE_BYTES, HEAD_TIME_MAX, RECEIVE_BUFFER_BYTES};
use crate::metrics::{CloseReason, Handshake};
use std::time::Instant;

#[derive(Debug)]
pub struct HandshakePhase {
    accepted: Instant,
    /// When the first byte was received.
    began: Option<Instant>,
}

pub enum HandshakeOutcome {
    /// The client's next message has not arrived whole, or the server's is not taken whole.
    Incomplete(HandshakePhase),
    /// Requests may follow, and the first one may have arrived.
    Complete,
    /// The client speaks HTTP in clear.
    Answer(Box<AnswerPhase>),
    /// The handshake is not complete in time, or has not begun for too long.
    Late(CloseReason, HandshakePhase),
    /// The client left, or the handshake failed.
    Failed,
}

impl HandshakePhase {
    pub fn new(now: Instant) -> Self {
        Self {
            accepted: now,
            began: None,
        }
    }

    /// Whether no byte has been received.
    pub fn is_idle(&self) -> bool {
        self.began.is_none()
    }

    pub fn deadline(&self, cx: &Context<'_>) -> Instant {
        match self.began {
            Some(began) => began + HEAD_TIME_MAX,
            None => self.accepted + cx.env.idle_time_max,
        }
    }

    /// Since when it holds what it has received.
    pub fn since(&self) -> Instant {
        self.began.unwrap_or(self.accepted)
    }

    /// The outcome after the socket was asked.
    fn incomplete(self, cx: &Context<'_>) -> HandshakeOutcome {
        match self.began {
            _ if cx.now() < self.deadline(cx) => HandshakeOutcome::Incomplete(self),
            Some(_) => HandshakeOutcome::Late(CloseReason::Handshake, self),
            None => HandshakeOutcome::Late(CloseReason::Idle, self),
        }
    }

    pub fn advance(self, wire: &mut Wire, cx: &mut Context<'_>) -> HandshakeOutcome {
        let mut buffer = std::mem::take(&mut cx.buffer);
        let outcome = self.exchange_messages(&mut buffer, wire, cx);
        cx.buffer = buffer;
        outcome
    }

    fn exchange_messages(
        mut self,
        buffer: &mut [u8],
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> HandshakeOutcome {
        if self.is_idle()
            && let Some(byte) = wire.first_byte()
        {
            if begins_http(byte) {
                return HandshakeOutcome::Answer(answer_in_clear(buffer, wire, cx));
            }
            self.began = Some(cx.now());
        }
        match wire.receive(buffer, RECEIVE_BUFFER_BYTES, &mut cx.scratch) {
            Received::Bytes(length) => {
                let mut inbox = wire.take_inbox();
                inbox.extend_from_slice(&buffer[..length]);
                wire.set_inbox(inbox);
            }
            Received::Nothing => {}
            Received::End => {
                self.report_failure(wire, cx);
                return HandshakeOutcome::Failed;
            }
        }
        if wire.is_handshaking() || matches!(wire.flush(), Sent::NoRoom) {
            return self.incomplete(cx);
        }
        let handshake = if wire.is_resumed() {
            Handshake::Resumed
        } else {
            Handshake::Full
        };
        cx.env.metrics.tls.handshake(handshake);
        HandshakeOutcome::Complete
    }

    fn report_failure(&self, wire: &mut Wire, cx: &Context<'_>) {
        // A client that connects and leaves, as a port check does, has begun no handshake.
        if self.is_idle() {
            return;
        }
        cx.env.metrics.tls.handshake(Handshake::Failed);
        let why = wire
            .take_failure()
            .map_or_else(|| "the client left".to_owned(), |failed| failed.0);
        log::info!(peer = &**wire.peer(), error = why.as_str(); "TLS handshake failed");
    }
}

/// Whether a first byte is a method's: those of TLS are numbers below 32.
fn begins_http(byte: u8) -> bool {
    byte.is_ascii_uppercase()
}

fn answer_in_clear(buffer: &mut [u8], wire: &mut Wire, cx: &mut Context<'_>) -> Box<AnswerPhase> {
    wire.give_up_tls();
    let received = match wire.receive(buffer, HEAD_RECEIVE_BYTES, &mut cx.scratch) {
        Received::Bytes(length) => &buffer[..length],
        Received::Nothing | Received::End => &[],
    };
    let exchange = Exchange::without_head(received, wire, cx);
    AnswerPhase::refusal(Refusal::ClearOnTls, exchange, wire, cx)
}
