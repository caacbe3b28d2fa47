//! One request and its answer, as the log and the numbers see them.
//!
//! Invariant: every request that was begun ends in exactly one line and one count, however it ends.
//!
//! Source: the project's contract, section 6.

use super::Shared;
use crate::app::metrics::{Finished, NO_ROUTE};
use crate::checksum;
use crate::http::head::Head;
use crate::limits::REQUEST_ID_BYTES_MAX;
use crate::log::REQUEST_TARGET;
use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tiny_http::{HTTPVersion, Method};

/// What the log and the numbers say where the client left before there was an answer. No client ever sees it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// What is remembered of a request until its answer has gone.
#[derive(Debug)]
pub struct Exchange {
    /// The route that took it.
    pub route: &'static str,
    method: Method,
    path: String,
    /// Its id, which the answer returns.
    pub request_id: String,
    /// The version it came with.
    pub version: HTTPVersion,
    /// Whether the client wants the connection kept.
    pub keep_alive: bool,
    /// Bytes of its body that came.
    pub received_bytes: u64,
    /// Bytes of the answer's body that went.
    pub sent_bytes: u64,
    /// The answer's status; 0 before there is one.
    pub status: u16,
    peer: Arc<str>,
    started: Instant,
}

impl Exchange {
    /// A request with this head.
    pub fn begin(head: &Head<'_, '_>, peer: &Arc<str>, ids: &RequestIds, now: Instant) -> Self {
        let given = head
            .fields
            .text("x-request-id")
            .filter(|id| is_request_id(id));
        Self {
            route: NO_ROUTE,
            method: head.method.clone(),
            path: head.target.path.to_owned(),
            request_id: given.map_or_else(|| ids.next(), str::to_owned),
            version: head.version.clone(),
            keep_alive: head.keep_alive,
            received_bytes: 0,
            sent_bytes: 0,
            status: 0,
            peer: Arc::clone(peer),
            started: now,
        }
    }

    /// Something that did not become a request: these bytes are no head, or not all of one.
    pub fn without_head(received: &[u8], peer: &Arc<str>, ids: &RequestIds, now: Instant) -> Self {
        // Even so, an answer to HEAD has no body (RFC 9110, section 9.3.2).
        let method = if received.trim_ascii_start().starts_with(b"HEAD ") {
            Method::Head
        } else {
            Method::Get
        };
        Self {
            route: NO_ROUTE,
            method,
            path: String::new(),
            request_id: ids.next(),
            version: HTTPVersion(1, 1),
            keep_alive: false,
            received_bytes: 0,
            sent_bytes: 0,
            status: 0,
            peer: Arc::clone(peer),
            started: now,
        }
    }

    /// What was asked for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the answer goes without its body.
    pub fn head_only(&self) -> bool {
        self.method == Method::Head
    }

    /// The answer has gone, or never will: `aborted` says why.
    pub fn end(&self, shared: &Shared, aborted: Option<&str>) {
        let status = match self.status {
            0 => CLIENT_CLOSED_REQUEST,
            status => status,
        };
        let duration = shared.clock.now().saturating_duration_since(self.started);
        shared.metrics.finished(Finished {
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
        // Thousandths are exact enough, and short.
        let duration_ms = (duration.as_secs_f64() * 1e6).round() / 1e3;
        let message = aborted.map_or(Cow::Borrowed("request"), |why| {
            Cow::Owned(format!("request ended early: {why}"))
        });
        log::log!(
            target: REQUEST_TARGET, level,
            method, path = self.path.as_str(), status, bytes = self.sent_bytes,
            received_bytes = self.received_bytes, duration_ms,
            peer = &*self.peer, request_id = self.request_id.as_str();
            "{message}"
        );
    }
}

/// An id that may stand in a header and a log line as it is.
fn is_request_id(id: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Makes ids for requests that bring none: unique in this process, and hardly ever the same in another.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl Default for RequestIds {
    fn default() -> Self {
        Self(AtomicU64::new(RandomState::new().hash_one(0)))
    }
}

impl RequestIds {
    fn next(&self) -> String {
        let id = self.0.fetch_add(1, Ordering::Relaxed);
        checksum::hex(&id.to_be_bytes())
    }
}
