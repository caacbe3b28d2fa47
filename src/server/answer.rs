//! The answer phase: answers from memory and from files are sent as the socket takes them.
//!
//! Invariants: exactly as many bytes follow a head as it announces, or the connection ends; an
//! answer that the socket does not take at once waits in the poller, never in a worker; a file is
//! sent by the kernel, or in slices of `FILE_READ_BYTES` over TLS, and never read as a whole.
//!
//! Sources: RFC 9112, sections 6.3 and 9.6.

use super::answer_body;
use super::conn_id::ConnId;
use super::context::Context;
use super::exchange::Exchange;
use super::progress::Progress;
use super::secure::Scratch;
use super::skip::{SkipPhase, Unread};
use super::socket::Sent;
use super::waiting::waker;
use super::wire::Wire;
use crate::http::response::{Body, HeadContext, Response, write_head};
use crate::http::service::Refusal;
use crate::metrics::CloseReason;
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What follows an answer.
#[derive(Debug)]
pub enum After {
    NextRequest,
    /// The rest of the request's body, then the next request.
    Skip(Box<SkipPhase>),
    /// The end, once the client has read its answer.
    Linger,
    Close,
}

#[derive(Debug)]
pub struct AnswerPhase {
    exchange: Exchange,
    /// The client's progress, from the answer's first wait on.
    progress: Option<Progress>,
    /// Status line and fields, and the body too where it is small.
    head: Vec<u8>,
    head_sent: usize,
    body: Body,
    /// Memory of the body, in bytes.
    body_bytes: usize,
    /// The connection waits for bytes of its body that have not arrived yet.
    awaits_bytes: bool,
    after: After,
}

pub enum AnswerOutcome {
    /// Too many workers are in calls to the disk.
    DiskBusy(Box<AnswerPhase>),
    /// The socket takes no more for now, or the turn is over.
    Incomplete(Box<AnswerPhase>),
    Sent(After),
    /// The client takes the answer too slowly.
    Late(CloseReason, Box<AnswerPhase>),
    /// The rest cannot be sent.
    Failed,
}

impl AnswerPhase {
    pub fn new(
        response: Response,
        exchange: Exchange,
        unread: Unread,
        wire: &Wire,
        cx: &mut Context<'_>,
    ) -> Box<Self> {
        let keep_alive = exchange.keep_alive && !cx.is_draining();
        let after = match unread {
            Unread::Nothing if keep_alive => After::NextRequest,
            Unread::Nothing if wire.inbox().is_empty() => After::Close,
            Unread::Body(skip) if keep_alive => After::Skip(skip),
            _ => After::Linger,
        };
        Self::prepare(response, exchange, after, wire, cx)
    }

    /// An answer after which the connection lingers.
    pub fn refusal(
        refusal: Refusal,
        exchange: Exchange,
        wire: &Wire,
        cx: &mut Context<'_>,
    ) -> Box<Self> {
        let response = cx.env.service.refuse(refusal);
        Self::new(response, exchange, Unread::Garbage, wire, cx)
    }

    /// The answer to a request whose handler panicked.
    pub fn panicked(exchange: Exchange, wire: &Wire, cx: &mut Context<'_>) -> Box<Self> {
        cx.env.metrics.panics.fetch_add(1, Ordering::Relaxed);
        Self::refusal(Refusal::Panic, exchange, wire, cx)
    }

    /// Sends a refusal as far as the socket takes it at once, for a connection that is closed next.
    pub fn send_last(refusal: Refusal, exchange: Exchange, wire: &mut Wire, cx: &mut Context<'_>) {
        let response = cx.env.service.refuse(refusal);
        let answer = Self::prepare(response, exchange, After::Close, wire, cx);
        if let AnswerOutcome::Incomplete(answer) = answer.advance_some(wire, cx) {
            answer.end(Some("the client does not read"), cx);
        }
    }

    fn prepare(
        mut response: Response,
        mut exchange: Exchange,
        after: After,
        wire: &Wire,
        cx: &mut Context<'_>,
    ) -> Box<Self> {
        let mut head = std::mem::take(&mut cx.out);
        head.clear();
        exchange.status = response.status.0;
        let policy = cx.env.tls.as_ref().filter(|_| wire.is_secure());
        if let Some(policy) = policy.and_then(|tls| tls.strict_transport_security.as_ref()) {
            response = response.header("Strict-Transport-Security", policy);
        }
        let context = HeadContext {
            version: &exchange.version,
            keep_alive: matches!(after, After::NextRequest | After::Skip(_)),
            date: cx.date(),
            request_id: &exchange.request_id,
        };
        write_head(&mut head, &response, context);
        let body = if exchange.head_only() || matches!(exchange.status, 204 | 304) {
            Body::Bytes(Bytes::new())
        } else {
            let (body, copied_bytes) =
                answer_body::coalesce(response.body, &mut head, &cx.env.disk);
            exchange.sent_bytes = copied_bytes;
            body
        };
        Box::new(Self {
            progress: None,
            body_bytes: answer_body::length_in_memory(&body),
            awaits_bytes: false,
            exchange,
            head,
            head_sent: 0,
            body,
            after,
        })
    }

    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Memory of this answer, in bytes: of its body only what no other answer shares; and the
    /// kernel's for what the client has sent ahead.
    pub fn held_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Bytes(bytes) if bytes.is_unique() => self.body_bytes,
            Body::Composed(composed) => composed.held_bytes(),
            _ => 0,
        };
        let received = self
            .progress
            .as_ref()
            .map_or(0, |progress| progress.received_memory_bytes);
        self.exchange.held_bytes() + self.head.capacity() + body + received
    }

    /// Logs and counts the end of the exchange.
    pub fn end(&self, aborted: Option<&str>, cx: &Context<'_>) {
        self.exchange.end(cx.env, aborted);
    }

    /// When to check the client's progress, event or not.
    pub fn check_at(&self) -> Option<Instant> {
        self.progress.as_ref().map(|progress| progress.check_at)
    }

    /// Whether the client waits for bytes that have not arrived here, and not the other way round.
    pub fn awaits_bytes(&self) -> bool {
        self.awaits_bytes
    }

    /// Sends as much as the socket takes, and has the connection woken when there is more to send.
    pub fn advance(
        self: Box<Self>,
        id: ConnId,
        wire: &mut Wire,
        cx: &mut Context<'_>,
    ) -> AnswerOutcome {
        let outcome = self.advance_some(wire, cx);
        if let AnswerOutcome::Incomplete(answer) = &outcome
            && answer.awaits_bytes
            && let Body::Arriving {
                arriving, offset, ..
            } = &answer.body
        {
            arriving.wake(*offset, waker(id, cx));
        }
        outcome
    }

    fn advance_some(mut self: Box<Self>, wire: &mut Wire, cx: &mut Context<'_>) -> AnswerOutcome {
        self.awaits_bytes = false;
        if let Some(share_bytes) = cx.unsent_share_bytes() {
            wire.bound_unsent(share_bytes);
        }
        let is_due = self.check_at().is_some_and(|at| at <= cx.now());
        // A client that has acknowledged all it was sent owes nothing: this side was late.
        if is_due && wire.acknowledged_bytes(&cx.env.sock_diag) == Some(wire.sent_bytes()) {
            self.progress = None;
        }
        let env = cx.env;
        while !self.is_sent(wire) && !self.is_ahead(wire) && cx.turn.sent_bytes < wire.turn_bytes()
        {
            let reads_file = matches!(
                self.body,
                Body::File { length: 1.., .. } | Body::Arriving { length: 1.., .. }
            );
            let inside = reads_file.then(|| env.disk.enter());
            if matches!(inside, Some(None)) {
                self.shrink(cx);
                return AnswerOutcome::DiskBusy(self);
            }
            let Some(sent) = self.send_some(wire, &mut cx.scratch) else {
                self.end(Some("the memory of the answer was needed"), cx);
                return AnswerOutcome::Failed;
            };
            match sent {
                Sent::Bytes(0) => {
                    self.end(Some("the file was cut short"), cx);
                    return AnswerOutcome::Failed;
                }
                Sent::Bytes(length) => cx.turn.sent_bytes += length,
                Sent::NoRoom => break,
                Sent::Gone => {
                    self.end(Some("the client went away"), cx);
                    return AnswerOutcome::Failed;
                }
                Sent::Failed(error) => {
                    let path = self.exchange.path();
                    log::error!(path, error:% = error; "cannot send an answer");
                    self.end(Some(&error.to_string()), cx);
                    return AnswerOutcome::Failed;
                }
            }
        }
        if self.is_ahead(wire) {
            self.awaits_bytes = true;
            // The client is not the one who is slow.
            self.progress = None;
            return AnswerOutcome::Incomplete(self);
        }
        if !self.is_sent(wire) {
            return self.wait(is_due, wire, cx);
        }
        cx.ended_at = Some(self.exchange.end(cx.env, None));
        cx.turn.requests += 1;
        let Self { head, after, .. } = *self;
        cx.out = head;
        AnswerOutcome::Sent(after)
    }

    /// A parked answer keeps no buffer that it does not need.
    fn shrink(&mut self, cx: &mut Context<'_>) {
        if let Body::Composed(composed) = &mut self.body {
            composed.release();
        }
        let rest = self.head[self.head_sent..].to_vec();
        cx.out = std::mem::replace(&mut self.head, rest);
        self.head_sent = 0;
    }

    fn wait(mut self: Box<Self>, is_due: bool, wire: &Wire, cx: &mut Context<'_>) -> AnswerOutcome {
        self.shrink(cx);
        let observed = match &mut self.progress {
            Some(progress) if is_due => progress.observe(wire, cx),
            Some(_) => Ok(()),
            None => {
                self.progress = Some(Progress::new(wire, cx));
                Ok(())
            }
        };
        match observed {
            Ok(()) => AnswerOutcome::Incomplete(self),
            Err(reason) => AnswerOutcome::Late(reason, self),
        }
    }

    /// Whether the socket has taken all of it, records that were sealed before included.
    fn is_sent(&self, wire: &Wire) -> bool {
        self.is_complete() && !wire.has_unsent()
    }

    /// Whether all bytes that have arrived are sent, and more will arrive.
    fn is_ahead(&self, wire: &Wire) -> bool {
        match &self.body {
            Body::Arriving {
                arriving,
                offset,
                length,
            } => {
                let arrived = arriving.arrived();
                *length > 0
                    && self.head_sent == self.head.len()
                    && !wire.has_unsent()
                    && arrived.is_some_and(|arrived| arrived <= *offset)
            }
            _ => false,
        }
    }

    fn is_complete(&self) -> bool {
        self.head_sent == self.head.len() && self.body.length() == 0
    }

    /// One write; `None` if the template of the body was dropped.
    fn send_some(&mut self, wire: &mut Wire, scratch: &mut Scratch) -> Option<Sent> {
        if self.is_complete() || wire.has_unsent() {
            return Some(wire.flush());
        }
        let head = &self.head[self.head_sent..];
        let (sent, of_head) = answer_body::send(head, &mut self.body, wire, scratch)?;
        if let Sent::Bytes(sent_bytes) = sent {
            self.head_sent += of_head;
            self.exchange.sent_bytes += (sent_bytes - of_head) as u64;
        }
        Some(sent)
    }
}
