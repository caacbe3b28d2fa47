//! Authorities: the text that may be put into the URLs of an answer.
//!
//! An accepted authority is echoed in JSON, in HTML and in redirects, so the tables also list the
//! texts that must never be accepted.
//!
//! Sources: RFC 3986, section 3.2; RFC 9110, section 4.2.4 (no user information).

use crate::head_refused::REFUSED_HOSTS;
use crate::properties::target::check_authority;
use crate::{Random, differential};
use release_server::http::authority::parse;

/// Accepted authorities.
pub const VALID: &[&str] = &[
    "a",
    "localhost",
    "localhost:8000",
    "releases.example.org",
    "releases.example.org.",
    "RELEASES.Example.ORG:443",
    "xn--bcher-kva.example",
    "a-b_c~d.e",
    "!$&'()*+,;=",
    "%41%c3%A4",
    "127.0.0.1",
    "127.0.0.1:1",
    "999.999.999.999",
    "1",
    "a:0",
    "a:1",
    "a:65535",
    "a:00080",
    "[::]",
    "[::1]:8000",
    "[2001:db8:0:0:0:0:0:1]",
    "[2001:DB8::1]:65535",
    "[1:2:3:4:5:6:7::]",
    "[::ffff:192.0.2.1]",
    "[1:2:3:4:5:6:192.0.2.1]",
];

/// Refused texts beside [`REFUSED_HOSTS`], which are refused in a head as well.
pub const INVALID: &[&[u8]] = &[
    b"",
    b":",
    b" a",
    b"a ",
    b"a\r\nX: y",
    b"a\0",
    b"a\t",
    b"a:80\n",
    b"[::1]\r\n",
    b"[::1]80",
    b"[::1]:80:80",
    b"[::1]:65536",
    b"[[::1]]",
    b"[1:2:3:4:5:6:7]",
    b"[::1::2]",
    b"[1::2::3]",
    b"[12345::]",
    b"[::192.0.2.256]",
    b"[192.0.2.1::]",
    b"[::1 ]",
];

#[test]
fn valid_authorities_are_taken_as_they_are() {
    for text in VALID {
        assert_eq!(parse(text.as_bytes()), Some(*text));
    }
}

#[test]
fn anything_else_is_refused() {
    for bytes in REFUSED_HOSTS.iter().chain(INVALID) {
        assert_eq!(parse(bytes), None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn ports_are_those_of_tcp() {
    for port in [
        0,
        1,
        80,
        8000,
        65_535,
        65_536,
        65_616,
        99_999,
        100_000,
        4_294_967_376u64,
    ] {
        let text = format!("a:{port}");
        let expected = (port <= 65_535).then_some(text.as_str());
        assert_eq!(parse(text.as_bytes()), expected);
    }
}

#[test]
fn accepted_texts_are_authorities() {
    let mut random = Random::new(7);
    let mut taken = 0;
    for _ in 0..40_000 {
        let text = random.pick(VALID);
        let bytes = random.mutate(text.as_bytes(), differential::PIECES);
        taken += usize::from(check_authority(&bytes));
    }
    // Otherwise the test would compare nothing.
    assert!(taken > 4_000, "only {taken} were taken");
}
