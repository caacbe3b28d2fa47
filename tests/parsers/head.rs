//! Request heads: the tables at every prefix, the bounds, and the parsed fields.
//!
//! A prefix must be told from a whole head: "complete" too early makes a part of the head the body,
//! and "error" too early breaks slow clients.
//!
//! Sources: those of the tables, and docs/contract.md, section 7 (16 KiB, 64 fields).

use crate::head_accepted::{ACCEPTED, Reading};
use crate::head_refused::{REFUSED, REFUSED_FIELDS, REFUSED_HOSTS};
use crate::with_fields;
use release_server::http::fields;
use release_server::http::framing::Framing;
use release_server::http::head::{self, HeadError, Parsed};

/// The result for a head, with the values that the tests compare.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Incomplete,
    Complete(usize),
    Refused(HeadError),
}

fn outcome(bytes: &[u8]) -> Outcome {
    match head::parse(bytes, &mut fields::field_slots()) {
        Ok(Parsed::Incomplete) => Outcome::Incomplete,
        Ok(Parsed::Complete(_, length)) => Outcome::Complete(length),
        Err(error) => Outcome::Refused(error),
    }
}

fn assert_reads(bytes: &[u8], expected: &Reading<'_>, length: usize) {
    let shown = bytes.escape_ascii();
    let mut slots = fields::field_slots();
    let Ok(Parsed::Complete(head, taken)) = head::parse(bytes, &mut slots) else {
        panic!("{shown}: {:?}", outcome(bytes));
    };
    let read = Reading {
        method: head.method.as_str(),
        path: head.target.path,
        query: head.target.query,
        minor_version: head.version.1,
        framing: head.framing,
        authority: head.authority,
        expectation: head.expectation,
        keep_alive: head.keep_alive,
    };
    assert_eq!((&read, taken), (expected, length), "{shown}");
    assert_eq!(head.version.0, 1, "{shown}");
}

/// Lengths of prefixes: all of a short input, the ends and a sample of a long one.
fn prefixes(length: usize) -> impl Iterator<Item = usize> {
    (0..length).filter(move |at| *at < 400 || *at + 100 > length || *at % 251 == 0)
}

fn assert_never_complete(bytes: &[u8]) {
    for length in prefixes(bytes.len()) {
        let outcome = outcome(&bytes[..length]);
        let shown = bytes[..length].escape_ascii();
        assert!(!matches!(outcome, Outcome::Complete(_)), "{shown}");
    }
}

fn assert_refused(bytes: &[u8], expected: HeadError) {
    let shown = bytes.escape_ascii();
    assert_eq!(outcome(bytes), Outcome::Refused(expected), "{shown}");
    assert_never_complete(bytes);
    // The next request does not repair it.
    let followed = [bytes, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    let refused = matches!(outcome(&followed), Outcome::Refused(_));
    assert!(refused, "{shown}");
}

#[test]
fn accepted_heads_are_read_in_full() {
    for (bytes, expected) in ACCEPTED {
        assert_reads(bytes, expected, bytes.len());
    }
}

#[test]
fn every_prefix_of_an_accepted_head_is_incomplete() {
    for (bytes, _) in ACCEPTED {
        for length in prefixes(bytes.len()) {
            let prefix = &bytes[..length];
            let shown = prefix.escape_ascii();
            assert_eq!(outcome(prefix), Outcome::Incomplete, "{shown}");
        }
    }
}

#[test]
fn bytes_after_a_head_change_nothing() {
    // Bytes that a head may not hold, more than a head's bound, and another request.
    let long = vec![b'\n'; 20_000];
    let next: &[&[u8]] = &[b"\0\n\r", b" folded", b"GET / HTTP/1.1\r\n\r\n", &long];
    for (bytes, expected) in ACCEPTED {
        for rest in next {
            assert_reads(&[bytes, *rest].concat(), expected, bytes.len());
        }
    }
}

#[test]
fn refused_heads_are_refused_for_their_reason() {
    for (bytes, expected) in REFUSED {
        assert_refused(bytes, *expected);
    }
}

#[test]
fn refused_fields_are_refused_wherever_they_stand() {
    for (lines, expected) in REFUSED_FIELDS {
        let first = [b"POST / HTTP/1.1\r\n", *lines, b"Host: a\r\n\r\n"].concat();
        // Before the Host field, a blank line in bare LF ends the head without it; the LF is found
        // first.
        assert_refused(&first, *expected);
        let last = [b"POST / HTTP/1.1\r\nHost: a\r\n", *lines, b"\r\n"].concat();
        assert_refused(&last, *expected);
    }
}

#[test]
fn refused_hosts_are_refused_in_either_version() {
    for host in REFUSED_HOSTS {
        for version in [b"1.0", b"1.1"] {
            let head = [
                b"GET / HTTP/",
                &version[..],
                b"\r\nHost: ",
                host,
                b"\r\n\r\n",
            ]
            .concat();
            assert_refused(&head, HeadError::Host);
        }
    }
}

/// RFC 3986, section 3.2.3: `port = *DIGIT`, so a colon may end an authority.
#[test]
fn an_empty_port_is_a_port() {
    for host in ["a:", "127.0.0.1:", "[::1]:"] {
        let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(outcome(head.as_bytes()), Outcome::Complete(head.len()));
    }
}

fn head_with_fields(count: usize) -> Vec<u8> {
    let others = "X: y\r\n".repeat(count - 1);
    format!("GET / HTTP/1.1\r\nHost: a\r\n{others}\r\n").into_bytes()
}

#[test]
fn a_head_has_at_most_64_fields() {
    let full = head_with_fields(64);
    assert_eq!(outcome(&full), Outcome::Complete(full.len()));
    for length in prefixes(full.len()) {
        assert_eq!(outcome(&full[..length]), Outcome::Incomplete);
    }
    assert_refused(&head_with_fields(65), HeadError::TooManyFields);
    assert_refused(&head_with_fields(500), HeadError::TooManyFields);
}

/// A head of exactly `length` bytes, most of them in `filler`: the target, one field, or blank
/// lines before the head.
fn head_of(length: usize, filler: &str) -> Vec<u8> {
    let build = |filling: &str| match filler {
        "target" => format!("GET /{filling} HTTP/1.1\r\nHost: a\r\n\r\n"),
        "method" => format!("GET{filling} / HTTP/1.1\r\nHost: a\r\n\r\n"),
        "name" => format!("GET / HTTP/1.1\r\nHost: a\r\nX{filling}: b\r\n\r\n"),
        _ => format!("GET / HTTP/1.1\r\nHost: a\r\nX: {filling}\r\n\r\n"),
    };
    let filling = "x".repeat(length - build("").len());
    build(&filling).into_bytes()
}

#[test]
fn a_head_has_at_most_16_kib() {
    const MOST: usize = 16 * 1024;
    for filler in ["target", "method", "name", "value"] {
        let full = head_of(MOST, filler);
        assert_eq!(outcome(&full), Outcome::Complete(MOST), "{filler}");
        for length in prefixes(MOST) {
            assert_eq!(outcome(&full[..length]), Outcome::Incomplete, "{filler}");
        }
        let over = head_of(MOST + 1, filler);
        assert_refused(&over, HeadError::TooLong);
        // Refused as soon as there are too many bytes, with or without an end in sight.
        let endless = &head_of(4 * MOST, filler)[..=MOST];
        assert_refused(endless, HeadError::TooLong);
        assert_eq!(outcome(&endless[..MOST]), Outcome::Incomplete, "{filler}");
    }
}

#[test]
fn blank_lines_before_a_head_are_bounded() {
    let blank = b"\r\n".repeat(8 * 1024 + 1);
    assert_eq!(outcome(&blank[..16 * 1024]), Outcome::Incomplete);
    assert_refused(&blank, HeadError::TooLong);
}

#[test]
fn lengths_are_read_as_numbers() {
    for length in [1, 9, 10, 99, 65_536, u64::from(u32::MAX), 1 << 53] {
        let head = format!("PUT / HTTP/1.0\r\nContent-Length: {length}\r\n\r\n");
        let mut slots = fields::field_slots();
        let Ok(Parsed::Complete(head, _)) = head::parse(head.as_bytes(), &mut slots) else {
            panic!("{length} is refused");
        };
        assert_eq!(head.framing, Framing::Known(length));
    }
}

#[test]
fn fields_are_found_in_any_case_and_in_order() {
    let lines = [
        "X: 1",
        "Y: 2",
        "x: 3, 4,, \t",
        "XX: 5",
        "X:",
        "Z: a\"b,c\"",
        "U: \u{e4}",
    ];
    with_fields(&lines, |fields| {
        let all: Vec<&[u8]> = fields.all("x").collect();
        assert_eq!(all, [b"1".as_slice(), b"3, 4,,", b""]);
        let members: Vec<&[u8]> = fields.members("X").collect();
        assert_eq!(members, [b"1", b"3", b"4"]);
        assert_eq!(fields.text("y"), Some("2"));
        assert_eq!(fields.text("X"), Some("1"));
        assert_eq!(fields.text("u"), Some("\u{e4}"));
        assert_eq!(fields.text("nothing"), None);
        assert_eq!(fields.all("").count(), 0);
    });
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n";
    let mut slots = fields::field_slots();
    let Ok(Parsed::Complete(head, _)) = head::parse(head, &mut slots) else {
        panic!("a byte over 127 is refused");
    };
    assert_eq!(head.fields.text("x"), None, "no text");
    assert_eq!(head.fields.all("x").next(), Some(b"\xff".as_slice()));
}
