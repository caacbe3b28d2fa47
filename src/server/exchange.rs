//! One request and its answer, as the log and the metrics see them.
//!
//! Invariant: every request that was begun ends in exactly one log line and one count.
//!
//! Sources: docs/contract.md, section 6; for `X-Forwarded-For`, RFC 7239, section 7.4.

use super::context::{Context, Environment};
use super::request_id::is_request_id;
use super::wire::Wire;
use crate::http::fields::Fields;
use crate::http::head::Head;
use crate::log::RequestLine;
use crate::metrics::{Finished, NO_ROUTE};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tiny_http::{HTTPVersion, Method};

/// The status in log and metrics where the client left before there was an answer; never sent.
const CLIENT_CLOSED_REQUEST: u16 = 499;

#[derive(Debug)]
pub struct Exchange {
    pub route: &'static str,
    /// The name of the token that a write was accepted with.
    pub token: Option<String>,
    method: Method,
    path: String,
    pub request_id: String,
    /// The version of the request.
    pub version: HTTPVersion,
    /// Whether the client wants the connection kept.
    pub keep_alive: bool,
    /// Bytes of the request's body.
    pub received_bytes: u64,
    /// Bytes of the answer's body.
    pub sent_bytes: u64,
    /// The answer's status; 0 before there is one.
    pub status: u16,
    peer: Arc<str>,
    /// The client that a trusted proxy named.
    client: Option<IpAddr>,
    /// When the head was complete.
    pub started: Instant,
}

/// The client as the nearest proxy saw it: the last member, with or without a port. Earlier members
/// are other hops' claims.
fn forwarded_for(fields: &Fields<'_, '_>) -> Option<IpAddr> {
    let last = fields.members("x-forwarded-for").last()?;
    let text = std::str::from_utf8(last).ok()?;
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port)
}

impl Exchange {
    pub fn begin(head: &Head<'_, '_>, wire: &Wire, cx: &Context<'_>) -> Self {
        let given = head
            .fields
            .text("x-request-id")
            .filter(|id| is_request_id(id));
        let trusted = cx.env.trust_forwarded;
        let forwarded = trusted.then(|| forwarded_for(&head.fields));
        Self {
            route: NO_ROUTE,
            token: None,
            method: head.method.clone(),
            path: head.target.path.to_owned(),
            request_id: given.map_or_else(|| cx.env.request_ids.next(), str::to_owned),
            version: head.version.clone(),
            keep_alive: head.keep_alive,
            received_bytes: 0,
            sent_bytes: 0,
            status: 0,
            peer: Arc::clone(wire.peer()),
            client: forwarded.flatten(),
            started: cx.now(),
        }
    }

    /// An exchange for bytes that are not a head, or only a part of one.
    pub fn without_head(received: &[u8], wire: &Wire, cx: &Context<'_>) -> Self {
        // Even so, an answer to HEAD has no body (RFC 9110, section 9.3.2).
        let method = if received.trim_ascii_start().starts_with(b"HEAD ") {
            Method::Head
        } else {
            Method::Get
        };
        Self {
            route: NO_ROUTE,
            token: None,
            method,
            path: String::new(),
            request_id: cx.env.request_ids.next(),
            version: HTTPVersion(1, 1),
            keep_alive: false,
            received_bytes: 0,
            sent_bytes: 0,
            status: 0,
            peer: Arc::clone(wire.peer()),
            client: None,
            started: cx.now(),
        }
    }

    /// Memory of the texts, in bytes.
    pub fn held_bytes(&self) -> usize {
        let token_bytes = self.token.as_ref().map_or(0, String::len);
        self.path.len() + self.request_id.len() + token_bytes
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the answer is sent without its body.
    pub fn head_only(&self) -> bool {
        self.method == Method::Head
    }

    /// Logs and counts the end of the exchange, and returns its time. `aborted` is the reason why
    /// it ended early.
    pub fn end(&self, env: &Environment, aborted: Option<&str>) -> Instant {
        let status = match self.status {
            0 => CLIENT_CLOSED_REQUEST,
            status => status,
        };
        let ended = env.clock.now();
        let duration = ended.saturating_duration_since(self.started);
        env.metrics.finished(Finished {
            is_upload: self.route != NO_ROUTE && matches!(self.method, Method::Put | Method::Post),
            route: self.route,
            status,
            received_bytes: self.received_bytes,
            sent_bytes: self.sent_bytes,
            duration,
        });
        // 505 is the client's doing.
        let level = if status >= 500 && status != 505 {
            log::Level::Warn
        } else {
            log::Level::Info
        };
        let method = if self.path.is_empty() {
            "-"
        } else {
            self.method.as_str()
        };
        let message = aborted.map_or(Cow::Borrowed("request"), |why| {
            Cow::Owned(format!("request ended early: {why}"))
        });
        let client = self.client.map(|client| client.to_string());
        RequestLine {
            level,
            message: &message,
            method,
            path: &self.path,
            status,
            sent_bytes: self.sent_bytes,
            received_bytes: self.received_bytes,
            duration,
            peer: &self.peer,
            client: client.as_deref(),
            token: self.token.as_deref(),
            request_id: &self.request_id,
        }
        .log();
        ended
    }
}
