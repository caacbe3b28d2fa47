//! Request heads: parsed by `httparse`, then checked for everything that two readers could
//! interpret differently.
//!
//! Invariants:
//! - An accepted head has lines that end in CRLF only, at most `HEAD_FIELDS_MAX` fields and
//!   `HEAD_BYTES_MAX` bytes, one valid authority, one framing.
//! - Nothing is copied: the values are slices of the received bytes.
//!
//! Sources: RFC 9112, sections 2.2 (line ends, blank lines before a request), 3 (request line), 5
//! (fields); RFC 9110, sections 7.2 (Host), 7.6.1 (Connection), 10.1.1 (Expect).

use crate::http::authority;
use crate::http::fields::{FieldSlots, Fields};
use crate::http::framing::{Framing, FramingError};
use crate::http::target::{Target, TargetError};
use crate::limits::{HEAD_BYTES_MAX, HEAD_FIELDS_MAX};
use tiny_http::{HTTPVersion, Method};

/// The expectation of a client that waits before it sends the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    None,
    /// `100-continue`.
    Continue,
    /// An expectation that this server does not know: 417.
    Unknown,
}

/// A complete, unambiguous request head.
#[derive(Debug)]
pub struct Head<'f, 'b> {
    /// Unknown methods are `NonStandard`.
    pub method: Method,
    pub target: Target<'b>,
    pub version: HTTPVersion,
    pub fields: Fields<'f, 'b>,
    pub framing: Framing,
    /// The requested host and port; `None` only for HTTP/1.0 without Host, or for an empty field.
    pub authority: Option<&'b str>,
    pub expectation: Expectation,
    /// Whether the client wants the connection kept.
    pub keep_alive: bool,
}

/// What the bytes received so far contain.
#[derive(Debug)]
pub enum Parsed<'f, 'b> {
    /// The beginning of a head.
    Incomplete,
    /// A head, and its length in bytes.
    Complete(Box<Head<'f, 'b>>, usize),
}

/// Why a head is refused. Each closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// Over `HEAD_BYTES_MAX`: 431.
    TooLong,
    /// Over `HEAD_FIELDS_MAX`: 431.
    TooManyFields,
    /// Neither HTTP/1.0 nor HTTP/1.1: 505.
    Version,
    /// A line that ends in LF without CR: 400.
    BareLineFeed,
    /// Not the syntax of a request line or a field: 400.
    Syntax(httparse::Error),
    /// The request target is neither a path nor an absolute URL: 400.
    Target(TargetError),
    /// No Host in HTTP/1.1, two of them, or not a valid authority: 400.
    Host,
    /// The body's length is ambiguous: 400.
    Framing(FramingError),
}

impl std::fmt::Display for HeadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(
                f,
                "The request's head is over the limit of {HEAD_BYTES_MAX} bytes"
            ),
            Self::TooManyFields => write!(
                f,
                "The request has over {HEAD_FIELDS_MAX} header fields, which is the limit"
            ),
            Self::Version => {
                f.write_str("The HTTP version is not supported; send HTTP/1.1 or HTTP/1.0")
            }
            Self::BareLineFeed => f.write_str(
                "The request's head has a line that ends in LF alone; lines end in CRLF",
            ),
            Self::Syntax(error) => write!(f, "The request's head is malformed: {error}"),
            Self::Target(error) => write!(f, "The request target is malformed: {error}"),
            Self::Host => f.write_str(
                "The Host header is missing, repeated, or not a host of at most 255 bytes with an \
                 optional port",
            ),
            Self::Framing(error) => write!(f, "The body's length is ambiguous: {error}"),
        }
    }
}

/// Parses the head at the start of `bytes`; blank lines before it are skipped.
pub fn parse<'f, 'b>(
    bytes: &'b [u8],
    slots: &'f mut FieldSlots<'b>,
) -> Result<Parsed<'f, 'b>, HeadError> {
    let mut request = httparse::Request::new(&mut []);
    let status = request.parse_with_uninit_headers(bytes, slots);
    let length = match status {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => bytes.len(),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooManyFields),
        Err(httparse::Error::Version) if names_a_version(bytes) => return Err(HeadError::Version),
        Err(error) => return Err(HeadError::Syntax(error)),
    };
    if length > HEAD_BYTES_MAX {
        return Err(HeadError::TooLong);
    }
    let head = &bytes[..length];
    // httparse accepts a bare LF as a line end; a proxy in front of this server may not.
    if memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r') {
        return Err(HeadError::BareLineFeed);
    }
    match (status, request.method, request.path, request.version) {
        (Ok(httparse::Status::Complete(_)), Some(method), Some(path), Some(minor)) => {
            let fields = Fields::new(request.headers);
            let version = HTTPVersion(1, minor);
            interpret(method, path, version, fields)
                .map(|head| Parsed::Complete(Box::new(head), length))
        }
        _ => Ok(Parsed::Incomplete),
    }
}

/// Whether the third word of the request line is a version at all: otherwise the target contains a
/// blank, and the version is not the fault.
fn names_a_version(bytes: &[u8]) -> bool {
    bytes
        .split(|byte| *byte == b' ')
        .nth(2)
        .is_some_and(|word| word.len() > 4 && word[..4].eq_ignore_ascii_case(b"HTTP"))
}

fn interpret<'f, 'b>(
    method: &str,
    path: &'b str,
    version: HTTPVersion,
    fields: Fields<'f, 'b>,
) -> Result<Head<'f, 'b>, HeadError> {
    let method = method
        .parse()
        .map_err(|()| HeadError::Syntax(httparse::Error::Token))?;
    let target = Target::parse(path).map_err(HeadError::Target)?;
    let host = host(&fields, &version)?;
    Ok(Head {
        method,
        authority: target.authority.or(host),
        target,
        framing: Framing::decide(&fields, &version).map_err(HeadError::Framing)?,
        expectation: expectation(&fields, &version),
        keep_alive: keep_alive(&fields, &version),
        version,
        fields,
    })
}

/// The value of the only Host field; an empty one counts as absent. Checked even where an absolute
/// target overrides it.
fn host<'b>(fields: &Fields<'_, 'b>, version: &HTTPVersion) -> Result<Option<&'b str>, HeadError> {
    let mut hosts = fields.all("host");
    match (hosts.next(), hosts.next()) {
        (None, _) if *version >= HTTPVersion(1, 1) => Err(HeadError::Host),
        (None | Some(b""), None) => Ok(None),
        (Some(host), None) => authority::parse(host).ok_or(HeadError::Host).map(Some),
        (_, Some(_)) => Err(HeadError::Host),
    }
}

fn expectation(fields: &Fields<'_, '_>, version: &HTTPVersion) -> Expectation {
    // RFC 9110, section 10.1.1: an HTTP/1.0 request cannot expect anything.
    if *version < HTTPVersion(1, 1) {
        return Expectation::None;
    }
    let mut found = Expectation::None;
    for member in fields.members("expect") {
        if !member.eq_ignore_ascii_case(b"100-continue") {
            return Expectation::Unknown;
        }
        found = Expectation::Continue;
    }
    found
}

fn keep_alive(fields: &Fields<'_, '_>, version: &HTTPVersion) -> bool {
    let says = |option: &str| {
        fields
            .members("connection")
            .any(|member| member.eq_ignore_ascii_case(option.as_bytes()))
    };
    !says("close") && (*version >= HTTPVersion(1, 1) || says("keep-alive"))
}
