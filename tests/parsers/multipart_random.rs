//! Forms: a seeded round trip. The parser reads the content that a client writes, however the
//! network cuts it.
//!
//! The contents are built from the pieces of a delimiter, where parsers fail: a match that begins
//! within a failed match, one that spans inputs, one that is cut at each of its bytes.
//!
//! Sources: RFC 2046, section 5.1.1; RFC 7578, section 4.2; RFC 8187, section 3.2.

use crate::Random;
use crate::properties::multipart::{Found, drive};
use std::fmt::Write;

/// Boundaries: short, long, made of hyphens, with blanks.
pub const BOUNDARIES: &[&str] = &[
    "x",
    "-",
    "--",
    "----",
    "xYz",
    "xx",
    "a b",
    "'()+_,-./:=?",
    "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "0123456789012345678901234567890123456789012345678901234567890123456789",
];

/// Pieces of names that are hard to write in a header.
const NAME_PIECES: &[&str] = &[
    "a", "file", ".zip", ";", "=", "\"", "'", " ", "ä", "日", "filename", ",", ":", "&",
];

/// Content of up to 40 pieces that holds no delimiter.
fn content(random: &mut Random, boundary: &str) -> Vec<u8> {
    let delimiter = format!("\r\n--{boundary}");
    let pieces: Vec<Vec<u8>> = (1..delimiter.len())
        .map(|length| delimiter.as_bytes()[..length].to_vec())
        .chain(
            ["\r", "\n", "-", "--", "\r\r\n", "\r\n\r\n", boundary]
                .map(|text| text.as_bytes().to_vec()),
        )
        .chain([random.bytes(3), random.bytes(30)])
        .collect();
    let mut content = Vec::new();
    for _ in 0..random.below(41) {
        let before = content.len();
        content.extend_from_slice(&random.pick(&pieces));
        // Removed if it completes a delimiter; at the very start, a delimiter needs no CRLF.
        let mut lines = b"\r\n".to_vec();
        lines.extend_from_slice(&content);
        if lines
            .windows(delimiter.len())
            .any(|window| window == delimiter.as_bytes())
        {
            content.truncate(before);
        }
    }
    content
}

/// A parameter as one of the clients writes it.
fn parameter(random: &mut Random, key: &str, value: &str) -> String {
    match random.below(3) {
        // curl before 7.81, Python's urllib3.
        0 => format!(
            "{key}=\"{}\"",
            value.replace('\\', "\\\\").replace('"', "\\\"")
        ),
        // Browsers, and curl from 7.81 on.
        1 => format!("{key}=\"{}\"", value.replace('"', "%22")),
        // RFC 8187, for file names alone, with a plain name for readers that do not know it.
        _ if key == "filename" => {
            let encoded = value.bytes().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "%{byte:02X}");
                text
            });
            format!("filename=\"other\"; filename*=UTF-8''{encoded}")
        }
        _ => format!("{key}=\"{}\"", value.replace('"', "\\\"")),
    }
}

/// A part and its text, from the line after its delimiter.
fn part(random: &mut Random, boundary: &str) -> (Found, Vec<u8>) {
    let name = random.text(NAME_PIECES, 4);
    let filename = (random.below(2) == 0).then(|| random.text(NAME_PIECES, 6));
    let content = content(random, boundary);
    let mut disposition = format!("form-data; {}", parameter(random, "name", &name));
    if let Some(filename) = &filename {
        disposition.push_str("; ");
        disposition.push_str(&parameter(random, "filename", filename));
    }
    let before = random.pick(&["", "Content-Type: a/b\r\n", "X:\r\n"]);
    let after = random.pick(&["", "Content-Type: a/b\r\n", "Y: --z--\r\n"]);
    let head = format!("{before}Content-Disposition: {disposition}\r\n{after}\r\n");
    let text = [head.as_bytes(), &content].concat();
    (Found::whole(&name, filename.as_deref(), &content), text)
}

/// A form: its parts, and its text with the length up to the end of the closing delimiter.
fn form(random: &mut Random, boundary: &str) -> (Vec<Found>, Vec<u8>, usize) {
    let mut text = content(random, boundary);
    if !text.is_empty() {
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("--{boundary}").as_bytes());
    let mut parts = Vec::new();
    for _ in 0..random.below(5) {
        let (found, part) = part(random, boundary);
        text.extend_from_slice(random.pick(&[b"\r\n".as_slice(), b" \r\n", b"\t \t\r\n"]));
        text.extend_from_slice(&part);
        text.extend_from_slice(format!("\r\n--{boundary}").as_bytes());
        parts.push(found);
    }
    text.extend_from_slice(b"--");
    let length = text.len();
    text.extend_from_slice(random.pick(&[b"".as_slice(), b"\r\n", b"\r\nepilogue\r\n"]));
    (parts, text, length)
}

/// The text in pieces of random length, some of them empty.
fn cut<'a>(random: &mut Random, text: &'a [u8]) -> Vec<&'a [u8]> {
    let most = random.pick(&[2, 4, 16, 128, 1024]);
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(random.below(most + 1).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[test]
fn written_forms_are_read_back() {
    let mut random = Random::new(4);
    for round in 0..6_000 {
        let boundary = random.pick(BOUNDARIES);
        let (parts, text, _) = form(&mut random, boundary);
        let expected = (parts, Ok(true));
        let pieces = cut(&mut random, &text);
        let read = drive(boundary.as_bytes(), &pieces);
        assert_eq!(read, expected, "round {round}: {}", text.escape_ascii());
    }
}

#[test]
fn a_truncated_form_is_not_complete() {
    let mut random = Random::new(5);
    for round in 0..4_000 {
        let boundary = random.pick(BOUNDARIES);
        let (parts, text, length) = form(&mut random, boundary);
        let text = &text[..random.below(length)];
        let (read, outcome) = drive(boundary.as_bytes(), &cut(&mut random, text));
        assert_eq!(outcome, Ok(false), "round {round}: {}", text.escape_ascii());
        for (read, written) in read.iter().zip(&parts) {
            assert_eq!(
                (&read.name, &read.filename),
                (&written.name, &written.filename)
            );
            assert!(written.content.starts_with(&read.content), "round {round}");
            assert!(
                !read.ended || read.content == written.content,
                "round {round}"
            );
        }
    }
}
