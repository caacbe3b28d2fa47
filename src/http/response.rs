//! Responses: a status, header lines and a body, and how the head is written.
//!
//! Invariants:
//! - A header line is written when it is added and never holds CR, LF or another control character:
//!   bytes that could split a response are replaced there, once, for every header.
//! - No response lets a browser guess its type.
//! - `Content-Length` is written by [`write_head`] alone, from the body that is sent; 204 and 304
//!   have none where RFC 9110, section 8.6, forbids or does not need it.
//!
//! `tiny_http::Response::raw_print` is not used: it writes a length with 204, and takes 7,475
//! instructions for a head that takes 872 here (docs/benchmark.md).
//!
//! Sources: RFC 9112, section 4 (status line); RFC 9110, sections 5.5 (field values), 6.6.1 (Date),
//! 8.6 (length).

use crate::awaited::Arriving;
use crate::http::template::Composed;
use crate::text::push_number;
use bytes::Bytes;
use std::fs::File;
use std::sync::Arc;
use tiny_http::{HTTPVersion, StatusCode};

#[derive(Debug)]
pub enum Body {
    /// Bytes of this response alone.
    Bytes(Bytes),
    /// A text that is kept for many responses, with the values of this one.
    Composed(Composed),
    /// A section of an open file, which the connection sends without reading it into memory.
    File {
        /// Its content does not change after it was opened: packages are replaced, never edited.
        file: Arc<File>,
        offset: u64,
        length: u64,
    },
    /// The same of a file that is still being received.
    Arriving {
        arriving: Arc<dyn Arriving>,
        offset: u64,
        length: u64,
    },
    /// So many bytes that an answer to HEAD announces and does not send.
    Omitted(u64),
}

impl Body {
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Composed(composed) => composed.left() as u64,
            Self::File { length, .. } | Self::Arriving { length, .. } => *length,
            Self::Omitted(length) => *length,
        }
    }
}

/// A response, before the connection adds its own fields: date, request id, persistence.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    /// Complete header lines.
    lines: Vec<u8>,
    /// Omitted for HEAD; its length is announced all the same.
    pub body: Body,
}

impl Response {
    /// A response without a body.
    pub fn new(status: u16) -> Self {
        Self {
            status: StatusCode(status),
            lines: Vec::with_capacity(512),
            body: Body::Bytes(Bytes::new()),
        }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        push_line(&mut self.lines, name, value);
        self
    }

    /// Adds complete header lines, which nothing of a client is part of.
    #[must_use]
    pub fn with_lines(mut self, lines: &[u8]) -> Self {
        self.lines.extend_from_slice(lines);
        self
    }

    #[must_use]
    pub fn body(mut self, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        self = self.header("Content-Type", content_type);
        self.body = Body::Bytes(bytes.into());
        self
    }
}

/// Appends a header line.
pub fn push_line(lines: &mut Vec<u8>, name: &str, value: &str) {
    lines.extend_from_slice(name.as_bytes());
    lines.extend_from_slice(b": ");
    if value.bytes().any(|byte| byte.is_ascii_control()) {
        let safe = |byte: u8| if byte.is_ascii_control() { b'_' } else { byte };
        lines.extend(value.bytes().map(safe));
    } else {
        lines.extend_from_slice(value.as_bytes());
    }
    lines.extend_from_slice(b"\r\n");
}

/// The parts of a head that the connection knows and the handler does not.
#[derive(Clone, Copy, Debug)]
pub struct HeadContext<'a> {
    /// The version of the request. Responses are HTTP/1.1 (RFC 9112, section 2.3), but the version
    /// decides which `Connection` field they carry.
    pub version: &'a HTTPVersion,
    pub keep_alive: bool,
    /// The current date in HTTP's form.
    pub date: &'a str,
    pub request_id: &'a str,
}

/// Appends the head of `response` to `out`.
pub fn write_head(out: &mut Vec<u8>, response: &Response, context: HeadContext<'_>) {
    let status = response.status;
    out.extend_from_slice(b"HTTP/1.1 ");
    push_number(out, u64::from(status.0));
    for part in [
        " ",
        status.default_reason_phrase(),
        "\r\nDate: ",
        context.date,
        "\r\nX-Request-Id: ",
        context.request_id,
        "\r\nX-Content-Type-Options: nosniff\r\n",
    ] {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(&response.lines);
    if !matches!(status.0, 100..=199 | 204 | 304) {
        out.extend_from_slice(b"Content-Length: ");
        push_number(out, response.body.length());
        out.extend_from_slice(b"\r\n");
    }
    match (context.keep_alive, *context.version < HTTPVersion(1, 1)) {
        (false, _) => out.extend_from_slice(b"Connection: close\r\n"),
        (true, true) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (true, false) => {}
    }
    out.extend_from_slice(b"\r\n");
}
