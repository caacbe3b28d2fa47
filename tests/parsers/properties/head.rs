//! Heads: whatever the parser accepts, a second reader accepts and reads the same; and what more
//! bytes may change.
//!
//! Request smuggling needs two readers on one path that see different requests in the same bytes.
//! So the property does not say what is refused, but that no accepted head is read differently by a
//! strict reader. The parser may refuse acceptable heads.
//!
//! Sources: RFC 9112, section 11.2; the invariants of `http::head` and `http::framing`.

use super::random::Random;
use super::second_reader::{self, Body};
use release_server::http::fields::field_slots;
use release_server::http::framing::Framing;
use release_server::http::head::{Head, Parsed, parse};
use release_server::limits::{HEAD_BYTES_MAX, HEAD_FIELDS_MAX};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Incomplete,
    Complete(usize),
    Refused,
}

fn outcome(bytes: &[u8]) -> Outcome {
    match parse(bytes, &mut field_slots()) {
        Ok(Parsed::Incomplete) => Outcome::Incomplete,
        Ok(Parsed::Complete(_, length)) => Outcome::Complete(length),
        Err(_) => Outcome::Refused,
    }
}

/// Every property of heads.
pub fn check(input: &[u8]) {
    is_read_by_both(input);
    let whole = outcome(input);
    let mut random = Random::of(input);
    for _ in 0..8 {
        let received = random.below(input.len() + 1);
        let before = outcome(&input[..received]);
        let holds = match whole {
            // The same bytes give the same result when more follow.
            Outcome::Complete(length) if received >= length => before == whole,
            Outcome::Complete(_) | Outcome::Incomplete => before == Outcome::Incomplete,
            Outcome::Refused => !matches!(before, Outcome::Complete(_)),
        };
        let shown = input.escape_ascii();
        assert!(
            holds,
            "{before:?} after {received} bytes, then {whole:?}: {shown}"
        );
    }
    if let Outcome::Complete(length) = whole {
        let followed = [&input[..length], b"\0"].concat();
        assert_eq!(outcome(&followed), whole, "{}", input.escape_ascii());
    }
}

/// Whether the parser accepts the bytes; then the second reader must agree.
pub fn is_read_by_both(bytes: &[u8]) -> bool {
    match parse(bytes, &mut field_slots()) {
        Ok(Parsed::Complete(head, length)) => {
            assert_same(bytes, &head, length);
            true
        }
        _ => false,
    }
}

fn assert_same(bytes: &[u8], head: &Head<'_, '_>, length: usize) {
    let shown = bytes.escape_ascii();
    let Some(second) = second_reader::read(bytes) else {
        panic!("only the first reader accepts {shown}");
    };
    assert!(length <= HEAD_BYTES_MAX, "{shown}");
    assert!(second.fields.len() <= HEAD_FIELDS_MAX, "{shown}");
    assert_eq!(length, second.length, "{shown}");
    assert_eq!(head.method.as_str(), second.method, "{shown}");
    assert_eq!(head.target.path, second.path, "{shown}");
    assert_eq!(head.target.query, second.query, "{shown}");
    assert_eq!(head.authority, second.authority, "{shown}");
    assert_eq!(head.version, (1, second.minor_version), "{shown}");
    let body = match head.framing {
        Framing::None => Body::None,
        Framing::Known(length) => Body::Length(length),
        Framing::Chunked => Body::Chunked,
    };
    assert_eq!(body, second.body, "{shown}");
    assert_same_fields(head, &second.fields);
    assert_written_again(head, &second);
}

/// The same names and values in the same order. Only the debug form lists all fields at once.
fn assert_same_fields(head: &Head<'_, '_>, second: &[(&str, &[u8])]) {
    let second: Vec<_> = second
        .iter()
        .map(|&(name, value)| httparse::Header { name, value })
        .collect();
    assert_eq!(format!("{:?}", head.fields), format!("Fields({second:?})"));
}

/// The head as a proxy would write it, with no blanks around values and the target in its parts,
/// reads the same.
fn assert_written_again(head: &Head<'_, '_>, second: &second_reader::Request<'_>) {
    let (method, path, minor) = (second.method, second.path, second.minor_version);
    let query = match second.query {
        "" => String::new(),
        query => format!("?{query}"),
    };
    let origin = match head.target.authority {
        Some(authority) => format!("http://{authority}"),
        None => String::new(),
    };
    let mut text = format!("{method} {origin}{path}{query} HTTP/1.{minor}\r\n").into_bytes();
    for (name, value) in &second.fields {
        text.extend_from_slice(format!("{name}:").as_bytes());
        text.extend_from_slice(value);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    let shown = text.escape_ascii();
    let mut slots = field_slots();
    let again = parse(&text, &mut slots);
    if text.len() > HEAD_BYTES_MAX {
        return;
    }
    let Ok(Parsed::Complete(again, length)) = again else {
        panic!("{again:?}: {shown}");
    };
    assert_eq!(length, text.len(), "{shown}");
    assert_eq!(again.target, head.target, "{shown}");
    assert_eq!(again.authority, head.authority, "{shown}");
    assert_eq!(again.framing, head.framing, "{shown}");
    assert_eq!(again.expectation, head.expectation, "{shown}");
    assert_eq!(again.keep_alive, head.keep_alive, "{shown}");
}
