//! The parser of request heads against a second one: whatever it accepts, the other accepts and
//! reads the same.
//!
//! Request smuggling needs two readers on one path that see different requests in the same bytes.
//! So the test does not ask that mutations are refused, but that no accepted head is read
//! differently by a strict reader. The parser may refuse acceptable heads.
//!
//! Source: RFC 9112, section 11.2.

use crate::Random;
use crate::head_accepted::ACCEPTED;
use crate::head_refused::{REFUSED, REFUSED_FIELDS, REFUSED_HOSTS};
use crate::properties::head::is_read_by_both;
use crate::properties::second_reader;

/// Bytes that mutations insert: separators, delimiters, and bytes often mistaken for them.
pub const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b"\x0b",
    b":",
    b",",
    b";",
    b"/",
    b"?",
    b"#",
    b"*",
    b"%",
    b"\"",
    b"\\",
    b"@",
    b"[",
    b"]",
    b"\x7f",
    b"\x80",
    b"\xc3\xa4",
    b"\xff",
    b"0",
    b"5",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"http://b",
    b"GET / HTTP/1.1\r\n",
    b"Host: b\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding",
    b"chunked",
    b"Connection: close\r\n",
    b"X: y\r\n",
    b"\r\n X: y\r\n",
];

/// Every head of the tables, accepted or refused.
pub fn seeds() -> Vec<Vec<u8>> {
    let whole = ACCEPTED.iter().map(|(bytes, _)| bytes.to_vec());
    let refused = REFUSED.iter().map(|(bytes, _)| bytes.to_vec());
    let fields = REFUSED_FIELDS
        .iter()
        .map(|(lines, _)| [b"POST / HTTP/1.1\r\nHost: a\r\n", *lines, b"\r\n"].concat());
    let hosts = REFUSED_HOSTS
        .iter()
        .map(|host| [b"GET / HTTP/1.1\r\nHost: ", *host, b"\r\n\r\n"].concat());
    whole.chain(refused).chain(fields).chain(hosts).collect()
}

#[test]
fn the_second_reader_takes_the_tables_as_they_are_meant() {
    for (bytes, _) in ACCEPTED {
        assert!(is_read_by_both(bytes), "{}", bytes.escape_ascii());
    }
    for bytes in seeds().iter().skip(ACCEPTED.len()) {
        let second = second_reader::read(bytes);
        assert_eq!(second, None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn no_mutation_is_read_differently() {
    let mut random = Random::new(1);
    let seeds = seeds();
    let mut accepted = 0;
    for _ in 0..40_000 {
        // Most mutations of refused heads are refused as well.
        let end = random.pick(&[ACCEPTED.len(), ACCEPTED.len(), seeds.len()]);
        let seed = random.pick(&seeds[..end]);
        accepted += usize::from(is_read_by_both(&random.mutate(&seed, PIECES)));
    }
    // Otherwise the test would compare nothing.
    assert!(accepted > 4_000, "only {accepted} were accepted");
}

#[test]
fn no_mixture_of_field_lines_is_read_differently() {
    let mut random = Random::new(2);
    let lines: Vec<&[u8]> = PIECES
        .iter()
        .copied()
        .chain(REFUSED_FIELDS.iter().map(|(lines, _)| *lines))
        .chain([
            b"Host: a\r\n".as_slice(),
            b"X:\r\n",
            b"A: b\r\n",
            b"Expect: 100-continue\r\n",
        ])
        .collect();
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut head = b"PUT /x HTTP/1.1\r\nHost: a\r\n".to_vec();
        for _ in 0..random.below(4) {
            head.extend_from_slice(random.pick(&lines));
        }
        head.extend_from_slice(b"\r\n");
        accepted += usize::from(is_read_by_both(&head));
    }
    assert!(accepted > 2_000, "only {accepted} were accepted");
}
