//! Bodies as their framing delimits them: none, a known length, or chunks.
//!
//! A byte too many would be missing from the next request; a byte too few would become its
//! beginning.
//!
//! Source: RFC 9112, section 6.3.

use crate::chunked::{MALFORMED, VALID};
use crate::properties::body::{Outcome, decode};
use crate::{Random, at_every_split, single_bytes};
use release_server::http::body::BodyDecoder;
use release_server::http::chunked::Chunk;
use release_server::http::framing::Framing;

/// The bytes of a connection: a body of this length, and the rest.
pub const KNOWN: &[(u64, &[u8])] = &[
    (0, b""),
    (0, b"GET / HTTP/1.1\r\n\r\n"),
    (1, b"x"),
    (1, b"xy"),
    (5, b"hello"),
    (5, b"hello\r\n0\r\n\r\n"),
    (5, b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    (18, b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
];

#[test]
fn no_body_takes_no_byte() {
    let mut decoder = BodyDecoder::new(Framing::None);
    for input in [b"".as_slice(), b"\r\n", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut rest = input;
        assert_eq!(decoder.next(&mut rest), Ok(Chunk::End));
        assert_eq!(rest, input);
    }
    assert_eq!(decoder.bytes_left(), Some(0));
}

#[test]
fn a_known_length_takes_exactly_its_bytes_at_every_split() {
    for (length, stream) in KNOWN {
        let framing = Framing::Known(*length);
        let end = usize::try_from(*length).unwrap();
        let expected = (stream[..end].to_vec(), Outcome::Ended(end));
        let check = |pieces: &[&[u8]]| assert_eq!(decode(framing, pieces), expected);
        at_every_split(stream, check);
        if !stream.is_empty() {
            check(&single_bytes(stream));
        }
    }
}

#[test]
fn a_known_length_cut_short_has_no_end() {
    for (length, stream) in KNOWN {
        for received in 0..usize::try_from(*length).unwrap() {
            let stream = &stream[..received];
            let expected = (stream.to_vec(), Outcome::Open);
            assert_eq!(decode(Framing::Known(*length), &[stream]), expected);
        }
    }
}

#[test]
fn lengths_beyond_every_limit_are_counted() {
    for length in [1 << 31, 1 << 32, 1 << 63, u64::MAX - 1, u64::MAX] {
        let mut decoder = BodyDecoder::new(Framing::Known(length));
        assert_eq!(decoder.bytes_left(), Some(length));
        let mut rest = b"hello".as_slice();
        assert_eq!(decoder.next(&mut rest), Ok(Chunk::Data(b"hello")));
        assert_eq!(decoder.next(&mut rest), Ok(Chunk::NeedMore));
        assert_eq!(decoder.bytes_left(), Some(length - 5));
    }
}

#[test]
fn the_rest_of_a_known_length_decreases_to_zero() {
    let mut random = Random::new(3);
    let content = random.bytes(10_000);
    let mut decoder = BodyDecoder::new(Framing::Known(10_000));
    let (mut read, mut at) = (Vec::new(), 0);
    while at < content.len() {
        let piece = (1 + random.below(700)).min(content.len() - at);
        let mut rest = &content[at..at + piece];
        while let Ok(Chunk::Data(data)) = decoder.next(&mut rest) {
            read.extend_from_slice(data);
        }
        at += piece;
        assert_eq!(decoder.bytes_left(), Some((content.len() - at) as u64));
    }
    assert_eq!(read, content);
    assert_eq!(decoder.next(&mut b"x".as_slice()), Ok(Chunk::End));
}

#[test]
fn chunks_are_read_as_the_coding_says() {
    for (body, content) in VALID {
        let stream = [*body, b"GET /"].concat();
        let expected = (content.to_vec(), Outcome::Ended(body.len()));
        let check = |pieces: &[&[u8]]| assert_eq!(decode(Framing::Chunked, pieces), expected);
        at_every_split(&stream, check);
        check(&single_bytes(&stream));
    }
    for (body, error) in MALFORMED {
        let (_, outcome) = decode(Framing::Chunked, &[body]);
        assert_eq!(outcome, Outcome::Refused(*error), "{}", body.escape_ascii());
    }
    assert_eq!(BodyDecoder::new(Framing::Chunked).bytes_left(), None);
}
