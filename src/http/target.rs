//! The request target: path segments and query parameters.
//!
//! Invariants: a path is split at `/` before it is decoded, and decoded once, so that an encoded
//! slash never becomes a separator; a segment that is not UTF-8 once decoded is reported as such,
//! not repaired.
//!
//! Sources: RFC 9112, section 3.2 (forms of a target); RFC 3986, sections 2.1 and 3.3; the WHATWG
//! URL standard, section 5.1, for the query (`+` is a space).

use crate::http::authority;
use percent_encoding::percent_decode;
use std::borrow::Cow;

/// A request target, still percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'b> {
    /// From the first `/` to the query; `*` for `OPTIONS *`.
    pub path: &'b str,
    /// The text after the first `?`; empty if there is none.
    pub query: &'b str,
    /// The authority of an absolute target; it overrides the Host field (RFC 9112, section 3.2.2).
    pub authority: Option<&'b str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// Neither a path, nor an absolute `http` URL, nor `*`.
    Form,
    /// A fragment, which a client must not send.
    Fragment,
}

impl std::fmt::Display for TargetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Form => "it must be a path that begins with '/', or an absolute http URL",
            Self::Fragment => "'#' and what follows it is not sent to a server",
        })
    }
}

impl<'b> Target<'b> {
    pub fn parse(text: &'b str) -> Result<Self, TargetError> {
        if memchr::memchr(b'#', text.as_bytes()).is_some() {
            return Err(TargetError::Fragment);
        }
        let (authority, rest) = if text.starts_with('/') || text == "*" {
            (None, text)
        } else {
            let (scheme, rest) = text.split_once("://").ok_or(TargetError::Form)?;
            if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
                return Err(TargetError::Form);
            }
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            let host = authority::parse(host.as_bytes()).ok_or(TargetError::Form)?;
            (Some(host), path)
        };
        let (path, query) = match memchr::memchr(b'?', rest.as_bytes()) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self {
            path,
            query,
            authority,
        })
    }

    /// The last value of a query parameter, decoded. A later value overrides an earlier one, as in
    /// common web frameworks.
    pub fn parameter(&self, name: &str) -> Option<Cow<'b, str>> {
        self.query
            .split('&')
            .rev()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| decode_query(key) == name)
            .map(|(_, value)| decode_query(value))
    }
}

/// A path segment, decoded once; `None` if the bytes are not UTF-8.
pub fn decode_segment(segment: &str) -> Option<Cow<'_, str>> {
    percent_decode(segment.as_bytes()).decode_utf8().ok()
}

fn decode_query(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(
            percent_decode(spaced.as_bytes())
                .decode_utf8_lossy()
                .into_owned(),
        );
    }
    percent_decode(text.as_bytes()).decode_utf8_lossy()
}
