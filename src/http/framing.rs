//! How the body of a request is delimited: decided once, from the head.
//!
//! Invariant: whatever another reader on the path could interpret differently is refused, because
//! bytes of one request must never be read as those of another. This is stricter than RFC 9112,
//! section 6, which allows some repeated fields to be merged.
//!
//! Source: RFC 9112, sections 6.1 to 6.3 and 11.2.

use crate::http::fields::Fields;
use tiny_http::HTTPVersion;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Neither length nor transfer coding: there is no body.
    None,
    /// The length in bytes. A length beyond 64 bits counts as the largest one, which exceeds every
    /// limit.
    Known(u64),
    /// Chunked transfer coding.
    Chunked,
}

/// Why the length of a body is ambiguous. The answer is 400, and the connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingError {
    /// More than one `Content-Length` field, or a list in one.
    TwoLengths,
    /// `Content-Length` is not digits alone.
    LengthSyntax,
    LengthWithCoding,
    /// A transfer coding other than `chunked`, or more than one.
    UnknownCoding,
    /// A transfer coding in an HTTP/1.0 request.
    CodingInOldVersion,
}

impl std::fmt::Display for FramingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TwoLengths => "more than one Content-Length; send exactly one",
            Self::LengthSyntax => "Content-Length is not a number; it takes decimal digits alone",
            Self::LengthWithCoding => {
                "both Content-Length and Transfer-Encoding; send only one of them"
            }
            Self::UnknownCoding => "unknown Transfer-Encoding; only 'chunked' is accepted, once",
            Self::CodingInOldVersion => "Transfer-Encoding in HTTP/1.0; send a Content-Length",
        })
    }
}

impl Framing {
    pub fn decide(fields: &Fields<'_, '_>, version: &HTTPVersion) -> Result<Self, FramingError> {
        let mut codings = fields.all("transfer-encoding");
        let mut lengths = fields.all("content-length");
        let (coding, length) = (codings.next(), lengths.next());
        if codings.next().is_some() {
            return Err(FramingError::UnknownCoding);
        }
        if lengths.next().is_some() {
            return Err(FramingError::TwoLengths);
        }
        match (coding, length) {
            (None, None) => Ok(Self::None),
            (Some(_), Some(_)) => Err(FramingError::LengthWithCoding),
            (Some(_), None) if *version < HTTPVersion(1, 1) => {
                Err(FramingError::CodingInOldVersion)
            }
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunked),
            (Some(_), None) => Err(FramingError::UnknownCoding),
            (None, Some(length)) => parse_length(length).map(Self::Known),
        }
    }
}

fn parse_length(value: &[u8]) -> Result<u64, FramingError> {
    if value.contains(&b',') {
        return Err(FramingError::TwoLengths);
    }
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(FramingError::LengthSyntax);
    }
    Ok(value.iter().fold(0u64, |length, digit| {
        length
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    }))
}
