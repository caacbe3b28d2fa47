//! `Range` with a single range of bytes.
//!
//! Invariants: a value that is not a single, well-formed `bytes` range is ignored, as if the field
//! were absent; a range that begins beyond the end of the file is reported as such. Positions are
//! inclusive, as in the header.
//!
//! Source: RFC 9110, sections 14.1.1, 14.1.2, 14.2 and 15.5.17.

/// The part of a file that a `Range` header requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeRequest {
    /// The value is not understood: the whole file.
    Whole,
    /// The bytes from `first` to `last`, both included.
    Part { first: u64, last: u64 },
    /// No byte of the file: 416.
    Unsatisfiable,
}

/// Parses a `Range` value for a file of `size` bytes.
pub fn parse(value: &[u8], size: u64) -> RangeRequest {
    parse_specifier(value, size).unwrap_or(RangeRequest::Whole)
}

fn parse_specifier(value: &[u8], size: u64) -> Option<RangeRequest> {
    let text = std::str::from_utf8(value).ok()?;
    let (unit, specifier) = text.split_once('=')?;
    let (first, last) = specifier.trim_matches([' ', '\t']).split_once('-')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let range = match (first.is_empty(), last.is_empty()) {
        (true, true) => return None,
        (true, false) => match number(last)? {
            0 => RangeRequest::Unsatisfiable,
            length => part(size.saturating_sub(length), u64::MAX, size),
        },
        (false, true) => part(number(first)?, u64::MAX, size),
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            part(first, last, size)
        }
    };
    Some(range)
}

fn part(first: u64, last: u64, size: u64) -> RangeRequest {
    if first >= size {
        return RangeRequest::Unsatisfiable;
    }
    RangeRequest::Part {
        first,
        last: last.min(size - 1),
    }
}

/// Digits alone; a number beyond 64 bits counts as the largest, which is beyond any file.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
