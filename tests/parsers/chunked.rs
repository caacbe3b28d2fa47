//! The chunked transfer coding: tables of bodies at every split, what follows a body, and the
//! bounds.
//!
//! Sources: RFC 9112, sections 7.1 (coding), 7.1.1 (extensions) and 7.1.2 (trailers);
//! docs/contract.md, section 7 (malformed chunks and trailers are refused; sizes without blanks).

use crate::properties::body::{Outcome, drive};
use crate::{at_every_split, single_bytes};
use release_server::http::chunked::{ChunkError, ChunkedDecoder};

/// Bodies to read, and their content.
pub const VALID: &[(&[u8], &[u8])] = &[
    (b"0\r\n\r\n", b""),
    (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    (b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", b"hello world"),
    (b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
    // Digits of either case, leading zeros, the most digits there may be, more than one zero at the
    // end.
    (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    (
        b"1b\r\nabcdefghijklmnopqrstuvwxyz.\r\n0\r\n\r\n",
        b"abcdefghijklmnopqrstuvwxyz.",
    ),
    (b"005\r\nhello\r\n000\r\n\r\n", b"hello"),
    (
        b"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n",
        b"hello",
    ),
    // Content that looks like the coding.
    (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
    (b"6\r\n1\r\nx\r\n\r\n0\r\n\r\n", b"1\r\nx\r\n"),
    (b"3\r\n\0\xff\n\r\n0\r\n\r\n", b"\0\xff\n"),
    // Extensions.
    (b"5;a\r\nhello\r\n0\r\n\r\n", b"hello"),
    (b"5;a=b;c=d\r\nhello\r\n0;e\r\n\r\n", b"hello"),
    (b"5;a=\"b;c \\\" \xc3\xa4\"\r\nhello\r\n0\r\n\r\n", b"hello"),
    (b"5; a\t= b\r\nhello\r\n0\r\n\r\n", b"hello"),
    // Trailers.
    (b"0\r\nX: y\r\n\r\n", b""),
    (b"5\r\nhello\r\n0\r\nX:\r\nY-Z:\tz \xff\r\n\r\n", b"hello"),
    (b"0\r\nContent-Length: 5\r\nHost: b\r\n\r\n", b""),
    (b"0;a\r\n!#$%&'*+-.^_`|~9: :\r\n\r\n", b""),
];

/// Bodies to refuse.
pub const MALFORMED: &[(&[u8], ChunkError)] = &[
    // Sizes.
    (b"\r\n", ChunkError::Size),
    (b"\n0\r\n\r\n", ChunkError::Size),
    (b"hello", ChunkError::Size),
    (b"g\r\n", ChunkError::Size),
    (b"-1\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"+1\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"0x1\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1h\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1_0\r\n", ChunkError::Size),
    (b"1.0\r\n", ChunkError::Size),
    (b"\xef\xbc\x91\r\n", ChunkError::Size),
    (b" 1\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1 \r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1\t\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1\x0b\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1 1\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1\0\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1 ;a\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b";a\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1,a\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1\rx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1\r\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"1;a\rb\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"0\rx", ChunkError::Size),
    (b"0\n\n", ChunkError::Size),
    (b"1\r\nx\r\n\r\n", ChunkError::Size),
    // One digit more than 64 bits hold, whatever it says.
    (b"10000000000000000\r\n", ChunkError::Size),
    (b"10000000000000001\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    (b"00000000000000001\r\nx\r\n0\r\n\r\n", ChunkError::Size),
    // Extensions; an accepted LF in one could hide bytes that another reader takes for content.
    (b"1;a\nx\r\n0\r\n\r\n", ChunkError::Extension),
    (b"1;\nx\r\n0\r\n\r\n", ChunkError::Extension),
    (b"1;a=\"\n\"\r\nx\r\n0\r\n\r\n", ChunkError::Extension),
    (b"1;\0\r\nx\r\n0\r\n\r\n", ChunkError::Extension),
    (b"1;a\x7f\r\nx\r\n0\r\n\r\n", ChunkError::Extension),
    (b"1;a\x0b\r\nx\r\n0\r\n\r\n", ChunkError::Extension),
    // Content longer or shorter than its size.
    (b"1\r\nxy\r\n0\r\n\r\n", ChunkError::End),
    (b"1\r\nx0\r\n\r\n", ChunkError::End),
    (b"1\r\nx\n0\r\n\r\n", ChunkError::End),
    (b"1\r\nx\rx0\r\n\r\n", ChunkError::End),
    (b"1\r\nx\r\r\n0\r\n\r\n", ChunkError::End),
    (b"2\r\nx\r\n0\r\n\r\n", ChunkError::End),
    (b"3\r\nx\r\n0\r\n\r\n", ChunkError::End),
    // Trailers.
    (b"0\r\nX\r\n\r\n", ChunkError::Trailer),
    (b"0\r\n: y\r\n\r\n", ChunkError::Trailer),
    (b"0\r\n X: y\r\n\r\n", ChunkError::Trailer),
    (b"0\r\nX : y\r\n\r\n", ChunkError::Trailer),
    (b"0\r\nX: y\r\n z\r\n\r\n", ChunkError::Trailer),
    (b"0\r\nX: y\n\r\n", ChunkError::Trailer),
    (b"0\r\nX: y\rz\r\n\r\n", ChunkError::Trailer),
    (b"0\r\nX: y\r\r\n\r\n", ChunkError::Trailer),
    (b"0\r\nX: \0\r\n\r\n", ChunkError::Trailer),
    (b"0\r\nX: \x7f\r\n\r\n", ChunkError::Trailer),
    (b"0\r\nX\xe4: y\r\n\r\n", ChunkError::Trailer),
    (b"0\r\n\n", ChunkError::Trailer),
    (b"0\r\n\rx", ChunkError::Trailer),
    (b"0\r\nGET / HTTP/1.1\r\n\r\n", ChunkError::Trailer),
    (b"0\r\n0\r\n\r\n", ChunkError::Trailer),
];

fn decode(pieces: &[&[u8]]) -> (Vec<u8>, Outcome) {
    let mut decoder = ChunkedDecoder::default();
    drive(pieces, |input| decoder.next(input))
}

#[test]
fn valid_bodies_are_read_at_every_split() {
    for (body, content) in VALID {
        let expected = (content.to_vec(), Outcome::Ended(body.len()));
        let shown = body.escape_ascii();
        at_every_split(body, |pieces| {
            assert_eq!(decode(pieces), expected, "{shown}");
        });
        assert_eq!(decode(&single_bytes(body)), expected, "{shown}");
    }
}

#[test]
fn malformed_bodies_are_refused_at_every_split() {
    for (body, error) in MALFORMED {
        let shown = body.escape_ascii();
        let (content, whole) = decode(&[body]);
        assert_eq!(whole, Outcome::Refused(*error), "{shown}");
        let expected = (content, whole);
        at_every_split(body, |pieces| {
            assert_eq!(decode(pieces), expected, "{shown}");
        });
        assert_eq!(decode(&single_bytes(body)), expected, "{shown}");
    }
}

#[test]
fn a_body_cut_short_has_no_end() {
    for (body, content) in VALID {
        for length in 0..body.len() {
            let (read, outcome) = decode(&[&body[..length]]);
            assert_eq!(outcome, Outcome::Open, "{}", body[..length].escape_ascii());
            assert!(content.starts_with(&read));
        }
    }
    for (body, _) in MALFORMED {
        for length in 0..body.len() {
            let (_, outcome) = decode(&[&body[..length]]);
            assert!(
                !matches!(outcome, Outcome::Ended(_)),
                "{}",
                body.escape_ascii()
            );
        }
    }
}

#[test]
fn bytes_after_a_body_are_not_consumed() {
    let next: &[&[u8]] = &[b"GET / HTTP/1.1\r\n\r\n", b"\r\n", b"0\r\n\r\n", b"\0"];
    for (body, content) in VALID {
        for rest in next {
            let stream = [*body, rest].concat();
            let expected = (content.to_vec(), Outcome::Ended(body.len()));
            at_every_split(&stream, |pieces| assert_eq!(decode(pieces), expected));
            assert_eq!(decode(&single_bytes(&stream)), expected);
        }
    }
}

#[test]
fn sizes_up_to_64_bits_are_sizes() {
    for size in [
        "ffffffffffffffff",
        "FFFFFFFFFFFFFFFF",
        "8000000000000000",
        "100000000",
        "ffffffff",
    ] {
        let body = format!("{size}\r\n0\r\n\r\n");
        let expected = (b"0\r\n\r\n".to_vec(), Outcome::Open);
        at_every_split(body.as_bytes(), |pieces| {
            assert_eq!(decode(pieces), expected, "{size}");
        });
    }
}

/// The bound is 4 KiB without the semicolons.
#[test]
fn extensions_of_a_body_are_bounded_together() {
    let one = |length: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(length));
    let many = |length: usize| "1;a\r\nx\r\n".repeat(length) + "0\r\n\r\n";
    for body in [one(4096), many(4096)] {
        let (_, outcome) = decode(&[body.as_bytes()]);
        assert_eq!(outcome, Outcome::Ended(body.len()));
        assert_eq!(decode(&single_bytes(body.as_bytes())).1, outcome);
    }
    for body in [one(4097), many(4097)] {
        let (_, outcome) = decode(&[body.as_bytes()]);
        assert_eq!(outcome, Outcome::Refused(ChunkError::Extension));
        assert_eq!(decode(&single_bytes(body.as_bytes())).1, outcome);
    }
}

/// The bound is 4 KiB with the line that ends the body.
#[test]
fn trailers_are_bounded() {
    let one = |length: usize| format!("0\r\nX:{}\r\n\r\n", "y".repeat(length - "X:\r\n".len()));
    let many = |lines: usize| format!("0\r\n{}\r\n", "X: y\r\n".repeat(lines));
    for body in [one(4094), many(682)] {
        let (_, outcome) = decode(&[body.as_bytes()]);
        assert_eq!(outcome, Outcome::Ended(body.len()));
        assert_eq!(decode(&single_bytes(body.as_bytes())).1, outcome);
    }
    let endless = format!("0\r\n{}", "x".repeat(4097));
    for body in [one(4095), many(683), endless] {
        let (_, outcome) = decode(&[body.as_bytes()]);
        assert_eq!(outcome, Outcome::Refused(ChunkError::Trailer));
        assert_eq!(decode(&single_bytes(body.as_bytes())).1, outcome);
    }
}
