//! `multipart/form-data`, as a push parser.
//!
//! Invariants:
//! - A delimiter is CRLF, `--` and the boundary; the same text without the CRLF before it is
//!   content. That includes the first bytes of a part: a file may begin like a delimiter, and every
//!   client ends an empty part with a line end.
//! - A body that ends before its closing delimiter is an error, never a shorter file.
//! - Content is returned as slices. The bytes held back at the end of an input are always a prefix
//!   of the delimiter, so a count of matched bytes replaces a buffer. CR occurs only at the
//!   delimiter's start, so a failed match can only start again at the byte that failed it.
//!
//! Sources: RFC 7578; RFC 2046, section 5.1.1 (delimiters, padding, preamble and epilogue).

use crate::http::disposition;
use crate::http::parameters::Parameterised;
use crate::limits::{HEAD_FIELDS_MAX, PART_HEAD_BYTES_MAX};
use memchr::{memchr, memmem};

pub use crate::http::disposition::FormData;

/// Why a form cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultipartError {
    /// A delimiter is followed by something other than `--` or the end of its line.
    Delimiter,
    HeadTooLong,
    /// A part's head is not a list of fields, or its lines do not end in CRLF.
    Head,
    /// A part has no valid `Content-Disposition: form-data` with a name.
    Disposition,
    /// A part is encoded for mail, which RFC 7578, section 4.7, forbids.
    TransferEncoding,
}

impl std::fmt::Display for MultipartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Delimiter => {
                f.write_str("a boundary is followed by neither '--' nor the end of the line")
            }
            Self::HeadTooLong => write!(f, "a part's head is over {PART_HEAD_BYTES_MAX} bytes"),
            Self::Head => f.write_str("a part's head is not a list of header fields"),
            Self::Disposition => {
                f.write_str("a part has no valid 'Content-Disposition: form-data' with a name")
            }
            Self::TransferEncoding => {
                f.write_str("a part has a Content-Transfer-Encoding; send its bytes as they are")
            }
        }
    }
}

/// The boundary that a `Content-Type` announces; `None` if it is not `multipart/form-data` with a
/// valid boundary.
pub fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let parsed = Parameterised::parse(content_type).ok()?;
    let boundary = parsed.get("boundary")?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    let valid = (1..=70).contains(&boundary.len())
        && boundary.iter().all(allowed)
        && !boundary.ends_with(b" ");
    (parsed.value == "multipart/form-data" && valid).then(|| boundary.to_vec())
}

const LINE_END: &[u8] = b"\r\n";

#[derive(Debug)]
enum Position {
    /// Before the first delimiter; the bytes here belong to no part.
    Preamble,
    /// In the content of a part.
    Content,
    /// Directly after a delimiter.
    AfterDelimiter,
    /// After a delimiter and one hyphen.
    AfterHyphen,
    /// In the blanks after a delimiter.
    Padding,
    /// After the CR that ends a delimiter's line.
    DelimiterLf,
    /// In the head of a part: its bytes so far, with the CRLF of the delimiter's line before them.
    Head(Vec<u8>),
    /// After the closing delimiter; the bytes here belong to no part.
    Epilogue,
}

/// What one call of the parser returns.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A part begins.
    Begin(FormData),
    /// Content of the current part.
    Data(&'a [u8]),
    /// The current part is complete.
    End,
    /// The input is used up.
    NeedMore,
}

#[derive(Debug)]
pub struct MultipartParser {
    delimiter: Vec<u8>,
    /// How many bytes of the delimiter the input so far ends with.
    matched: usize,
    position: Position,
}

impl MultipartParser {
    /// A parser for a body with this boundary, as [`boundary`] returns it.
    pub fn new(boundary: &[u8]) -> Self {
        Self {
            delimiter: [b"\r\n--", boundary].concat(),
            // The first delimiter may stand at the very start, as if a CRLF preceded it.
            matched: 2,
            position: Position::Preamble,
        }
    }

    /// Whether the closing delimiter has arrived. A body that ends before it is cut short.
    pub fn is_complete(&self) -> bool {
        matches!(self.position, Position::Epilogue)
    }

    /// Takes from the front of `input` up to the next event.
    pub fn next<'p, 'i: 'p>(
        &'p mut self,
        input: &mut &'i [u8],
    ) -> Result<Part<'p>, MultipartError> {
        loop {
            match self.position {
                Position::Epilogue => *input = &[],
                Position::Preamble => {
                    if let Searched::Delimiter = self.search(input) {
                        self.position = Position::AfterDelimiter;
                    }
                }
                Position::Content => match self.search(input) {
                    Searched::Delimiter => {
                        self.position = Position::AfterDelimiter;
                        return Ok(Part::End);
                    }
                    Searched::Held(length) => return Ok(Part::Data(&self.delimiter[..length])),
                    Searched::Data(data) => return Ok(Part::Data(data)),
                    Searched::Nothing => {}
                },
                _ => {}
            }
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(Part::NeedMore);
            };
            if matches!(self.position, Position::Preamble | Position::Content) {
                continue;
            }
            *input = rest;
            if let Some(part) = self.step(byte)? {
                return Ok(Part::Begin(part));
            }
        }
    }

    /// Takes one byte outside of content; returns a part when the byte completes its head.
    fn step(&mut self, byte: u8) -> Result<Option<FormData>, MultipartError> {
        let position = match (&mut self.position, byte) {
            (Position::AfterDelimiter, b'-') => Position::AfterHyphen,
            (Position::AfterHyphen, b'-') => Position::Epilogue,
            (Position::AfterDelimiter | Position::Padding, b' ' | b'\t') => Position::Padding,
            (Position::AfterDelimiter | Position::Padding, b'\r') => Position::DelimiterLf,
            (Position::DelimiterLf, b'\n') => Position::Head(LINE_END.to_vec()),
            (Position::Head(head), byte) => {
                head.push(byte);
                if head.len() - LINE_END.len() > PART_HEAD_BYTES_MAX {
                    return Err(MultipartError::HeadTooLong);
                }
                if head.ends_with(b"\r\n\r\n") {
                    let part = part_head(&head[LINE_END.len()..])?;
                    self.position = Position::Content;
                    return Ok(Some(part));
                }
                return Ok(None);
            }
            _ => return Err(MultipartError::Delimiter),
        };
        self.position = position;
        Ok(None)
    }

    /// Searches for the delimiter; takes content up to it, or up to its possible beginning.
    fn search<'a>(&mut self, input: &mut &'a [u8]) -> Searched<'a> {
        if self.matched == 0 {
            let data = match memmem::find(input, &self.delimiter) {
                Some(at) => &input[..at],
                None => &input[..input.len() - self.partial_match(input)],
            };
            *input = &input[data.len()..];
            if !data.is_empty() {
                return Searched::Data(data);
            }
        }
        while let Some((&byte, rest)) = input.split_first() {
            if byte != self.delimiter[self.matched] {
                break;
            }
            *input = rest;
            self.matched += 1;
            if self.matched == self.delimiter.len() {
                self.matched = 0;
                return Searched::Delimiter;
            }
        }
        if input.is_empty() || self.matched == 0 {
            return Searched::Nothing;
        }
        Searched::Held(std::mem::take(&mut self.matched))
    }

    /// The length of the longest end of `input` that is a prefix of the delimiter.
    fn partial_match(&self, input: &[u8]) -> usize {
        let window = input.len().min(self.delimiter.len() - 1);
        let mut tail = &input[input.len() - window..];
        while let Some(at) = memchr(b'\r', tail) {
            tail = &tail[at..];
            if self.delimiter.starts_with(tail) {
                return tail.len();
            }
            tail = &tail[1..];
        }
        0
    }
}

enum Searched<'a> {
    /// The delimiter, now taken.
    Delimiter,
    /// Content in the input.
    Data(&'a [u8]),
    /// The number of bytes that looked like a delimiter and were content.
    Held(usize),
    /// No event yet.
    Nothing,
}

fn part_head(head: &[u8]) -> Result<FormData, MultipartError> {
    if memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r') {
        return Err(MultipartError::Head);
    }
    let mut slots = [httparse::EMPTY_HEADER; HEAD_FIELDS_MAX];
    let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(head, &mut slots)
    else {
        return Err(MultipartError::Head);
    };
    let mut disposition = None;
    for field in fields {
        if field.name.eq_ignore_ascii_case("content-disposition") {
            let parsed = disposition::parse_form_data(field.value);
            if disposition.replace(parsed).is_some() {
                return Err(MultipartError::Disposition);
            }
        }
        if field.name.eq_ignore_ascii_case("content-transfer-encoding") {
            let identity = [b"binary".as_slice(), b"8bit", b"7bit"];
            if !identity
                .iter()
                .any(|known| field.value.eq_ignore_ascii_case(known))
            {
                return Err(MultipartError::TransferEncoding);
            }
        }
    }
    match disposition {
        Some(Ok(part)) => Ok(part),
        _ => Err(MultipartError::Disposition),
    }
}
