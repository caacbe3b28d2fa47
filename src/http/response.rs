//! Answers: a status, header lines, a body; and how their head is written.
//!
//! Invariants:
//! - A header line is written when it is added, and never holds CR, LF or another control character: what could split an
//!   answer is replaced there, once, for every header there is.
//! - No answer lets a browser guess its type.
//! - `Content-Length` is written by [`write_head`] alone, from the body that is sent; 204 and 304 have none of it where
//!   RFC 9110, section 8.6, forbids or does not need it.
//!
//! The head is printed here and not by `tiny_http::Response::raw_print`: that one writes a length with 204, and takes
//! 7,475 instructions for a head that takes 872 here (ARCHITECTURE.md, "What was measured").
//!
//! Sources: RFC 9112, section 4 (status line); RFC 9110, sections 5.5 (field values), 6.6.1 (Date), 8.6 (length).

use bytes::Bytes;
use std::fs::File;
use std::io::Write;
use tiny_http::{HTTPVersion, StatusCode};

/// What follows the head.
#[derive(Debug)]
pub enum Body {
    /// Bytes in memory, shared or not.
    Bytes(Bytes),
    /// A stretch of an open file, which the connection sends without reading it into memory.
    File {
        /// The file; it stays what it was when it was opened.
        file: File,
        /// Position of the first byte to send.
        offset: u64,
        /// Bytes to send.
        length: u64,
    },
}

impl Body {
    /// Bytes to send.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// An answer, before the connection adds what is its own: date, request id, persistence.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// Finished header lines.
    lines: Vec<u8>,
    /// The body; left out for HEAD, its length is announced all the same.
    pub body: Body,
}

impl Response {
    /// An answer without a body.
    pub fn new(status: u16) -> Self {
        Self {
            status: StatusCode(status),
            lines: Vec::with_capacity(512),
            body: Body::Bytes(Bytes::new()),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.lines.extend_from_slice(name.as_bytes());
        self.lines.extend_from_slice(b": ");
        let value_at = self.lines.len();
        self.lines.extend_from_slice(value.as_bytes());
        for byte in &mut self.lines[value_at..] {
            if byte.is_ascii_control() {
                *byte = b'_';
            }
        }
        self.lines.extend_from_slice(b"\r\n");
        self
    }

    /// Adds header lines that an answer was given before, as [`Response::lines`] tells them.
    #[must_use]
    pub fn with_lines(mut self, lines: &[u8]) -> Self {
        self.lines.extend_from_slice(lines);
        self
    }

    /// The header lines so far.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        self = self.header("Content-Type", content_type);
        self.body = Body::Bytes(bytes.into());
        self
    }
}

/// What the connection knows and the handler does not.
#[derive(Clone, Copy, Debug)]
pub struct HeadContext<'a> {
    /// The version the request had; answers are HTTP/1.1 (RFC 9112, section 2.3) but say how the connection goes on.
    pub version: &'a HTTPVersion,
    /// Whether the connection is kept.
    pub keep_alive: bool,
    /// The present date, as HTTP writes it.
    pub date: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
}

/// Appends the head of `response` to `out`.
pub fn write_head(out: &mut Vec<u8>, response: &Response, context: HeadContext<'_>) {
    let status = response.status;
    // Writing to a vector does not fail.
    let _ = write!(
        out,
        "HTTP/1.1 {} {}\r\nDate: {}\r\nX-Request-Id: {}\r\nX-Content-Type-Options: nosniff\r\n",
        status.0,
        status.default_reason_phrase(),
        context.date,
        context.request_id,
    );
    out.extend_from_slice(&response.lines);
    if !matches!(status.0, 100..=199 | 204 | 304) {
        let _ = write!(out, "Content-Length: {}\r\n", response.body.length());
    }
    match (context.keep_alive, *context.version < HTTPVersion(1, 1)) {
        (false, _) => out.extend_from_slice(b"Connection: close\r\n"),
        (true, true) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (true, false) => {}
    }
    out.extend_from_slice(b"\r\n");
}
