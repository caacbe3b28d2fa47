//! Forms: the same parts however the network cuts them, and no content that holds a delimiter.
//!
//! Sources: RFC 7578; RFC 2046, section 5.1.1; the invariants of `http::multipart`.

use super::cuts;
use super::disposition::written;
use release_server::http::disposition::FormData;
use release_server::http::multipart::{MultipartError, MultipartParser, Part, boundary};

/// A part as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub filename: Option<String>,
    pub content: Vec<u8>,
    /// Whether it is complete.
    pub ended: bool,
}

impl Found {
    /// A complete part.
    pub fn whole(name: &str, filename: Option<&str>, content: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            filename: filename.map(str::to_owned),
            content: content.to_vec(),
            ended: true,
        }
    }
}

/// Feeds a parser piece by piece; returns the parts, and whether the form is complete.
pub fn drive(boundary: &[u8], pieces: &[&[u8]]) -> (Vec<Found>, Result<bool, MultipartError>) {
    let mut parser = MultipartParser::new(boundary);
    let mut parts: Vec<Found> = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match parser.next(&mut rest) {
                Ok(Part::Begin(part)) => {
                    assert!(parts.last().is_none_or(|last| last.ended));
                    let mut found = Found::whole(&part.name, part.filename.as_deref(), b"");
                    found.ended = false;
                    parts.push(found);
                }
                Ok(Part::Data(data)) => {
                    assert!(!data.is_empty(), "an empty piece of content says nothing");
                    let part = parts.last_mut().expect("content of a part");
                    assert!(!part.ended);
                    part.content.extend_from_slice(data);
                }
                Ok(Part::End) => {
                    let part = parts.last_mut().expect("the end of a part");
                    assert!(!std::mem::replace(&mut part.ended, true));
                }
                Ok(Part::NeedMore) => break,
                Err(error) => return (parts, Err(error)),
            }
        }
        assert!(
            rest.is_empty(),
            "asked for more and left {}",
            rest.escape_ascii()
        );
    }
    let complete = parser.is_complete();
    (parts, Ok(complete))
}

/// Every property of forms. The input is a form with the boundary of its first line, as most begin,
/// else with `xYz`.
pub fn check(input: &[u8]) {
    let boundary = first_boundary(input).unwrap_or_else(|| b"xYz".to_vec());
    let whole = drive(&boundary, &[input]);
    let shown = input.escape_ascii();
    for pieces in cuts(input) {
        assert_eq!(drive(&boundary, &pieces), whole, "{shown}");
    }
    let (parts, outcome) = whole;
    let content: usize = parts.iter().map(|part| part.content.len()).sum();
    assert!(content <= input.len(), "{shown}");
    let delimiter = [b"\r\n--", boundary.as_slice()].concat();
    let holds =
        |text: &[u8], sought: &[u8]| text.windows(sought.len()).any(|window| window == sought);
    for part in &parts {
        assert!(!holds(&part.content, &delimiter), "{shown}");
    }
    if outcome == Ok(true) {
        let closing = [&delimiter[2..], b"--"].concat();
        assert!(holds(input, &closing), "{shown}");
        assert!(parts.iter().all(|part| part.ended), "{shown}");
        assert_written_again(&boundary, parts);
    }
}

/// The boundary of a form that begins with its first delimiter.
fn first_boundary(input: &[u8]) -> Option<Vec<u8>> {
    let line = input.strip_prefix(b"--")?;
    let end = line.iter().position(|byte| *byte == b'\r')?;
    let content_type = [b"multipart/form-data; boundary=\"", &line[..end], b"\""].concat();
    boundary(&content_type)
}

/// The parts, written as a client writes them, are read again.
fn assert_written_again(boundary: &[u8], parts: Vec<Found>) {
    let mut form = [b"--", boundary].concat();
    for part in &parts {
        let disposition = written(&FormData {
            name: part.name.clone(),
            filename: part.filename.clone(),
        });
        form.extend_from_slice(b"\r\nContent-Disposition: ");
        form.extend_from_slice(disposition.as_bytes());
        form.extend_from_slice(b"\r\n\r\n");
        form.extend_from_slice(&part.content);
        form.extend_from_slice(b"\r\n--");
        form.extend_from_slice(boundary);
    }
    form.extend_from_slice(b"--");
    let again = drive(boundary, &[&form]);
    assert_eq!(again, (parts, Ok(true)), "{}", form.escape_ascii());
}
