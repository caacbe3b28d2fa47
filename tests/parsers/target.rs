//! Request targets: their parts, their parameters and their segments.
//!
//! Sources: RFC 9112, section 3.2; RFC 3986, sections 2.1 and 3.3; the WHATWG URL standard, section
//! 5.1 (queries of forms); docs/contract.md, section 1 (paths are decoded once).

use release_server::http::target::{Target, TargetError, decode_segment};

/// Accepted targets: path, query and authority. The tables of heads have more of them.
pub const VALID: &[(&str, &str, &str, Option<&str>)] = &[
    ("/", "/", "", None),
    ("*", "*", "", None),
    ("/a/b?c=d", "/a/b", "c=d", None),
    ("/?", "/", "", None),
    ("/??", "/", "?", None),
    ("/a?b=http://c/?d", "/a", "b=http://c/?d", None),
    ("//a/b", "//a/b", "", None),
    ("/a%3Fb%23", "/a%3Fb%23", "", None),
    ("http://a", "/", "", Some("a")),
    ("http://a?b", "/", "b", Some("a")),
    ("http://a/?b", "/", "b", Some("a")),
    ("HtTp://a:80//b", "//b", "", Some("a:80")),
    ("https://[::1]/a", "/a", "", Some("[::1]")),
];

/// Targets to refuse.
pub const REFUSED: &[(&str, TargetError)] = &[
    ("", TargetError::Form),
    ("?a", TargetError::Form),
    ("a", TargetError::Form),
    ("a:80", TargetError::Form),
    ("**", TargetError::Form),
    ("*/", TargetError::Form),
    ("http:", TargetError::Form),
    ("http://", TargetError::Form),
    ("http:///a", TargetError::Form),
    ("http://?a", TargetError::Form),
    ("http://a@b/", TargetError::Form),
    ("http://a b/", TargetError::Form),
    ("http://a:b/", TargetError::Form),
    ("httpx://a/", TargetError::Form),
    ("file:///etc/passwd", TargetError::Form),
    ("javascript://a/", TargetError::Form),
    ("#", TargetError::Fragment),
    ("/#", TargetError::Fragment),
    ("/?a#b", TargetError::Fragment),
    ("http://a#b", TargetError::Fragment),
];

/// Queries, a name, and the value that is read for it.
pub const PARAMETERS: &[(&str, &str, Option<&str>)] = &[
    ("", "a", None),
    ("a=b", "a", Some("b")),
    ("a=b", "b", None),
    ("a=b", "A", None),
    ("a", "a", Some("")),
    ("a=", "a", Some("")),
    ("a=b=c", "a", Some("b=c")),
    ("x=y&a=b&z", "a", Some("b")),
    ("&&a=b&&", "a", Some("b")),
    // The last one counts.
    ("a=b&a=c", "a", Some("c")),
    ("a=b&a", "a", Some("")),
    ("a=b&%61=c", "a", Some("c")),
    // Blanks and encoded bytes; each decoded once, after the query was split.
    ("a=b+c", "a", Some("b c")),
    ("a=b%20c", "a", Some("b c")),
    ("a=b%2Bc", "a", Some("b+c")),
    ("a+b=c", "a b", Some("c")),
    ("a=b%26c%3Dd", "a", Some("b&c=d")),
    ("a=%2526", "a", Some("%26")),
    ("a=%C3%a4", "a", Some("ä")),
    ("a%3Db=c", "a=b", Some("c")),
    ("a%3Db=c", "a", None),
    ("a=%", "a", Some("%")),
    ("a=%4", "a", Some("%4")),
    ("a=%zz", "a", Some("%zz")),
    ("a=%ff", "a", Some("\u{fffd}")),
    ("a=b;c=d", "a", Some("b;c=d")),
    ("overwrite=true", "overwrite", Some("true")),
    ("xoverwrite=true", "overwrite", None),
];

/// Segments of a path, and what they are decoded to.
pub const SEGMENTS: &[(&str, Option<&str>)] = &[
    ("", Some("")),
    ("a.zip", Some("a.zip")),
    ("a+b", Some("a+b")),
    ("a%20b", Some("a b")),
    ("a%2Fb", Some("a/b")),
    ("%2e%2E", Some("..")),
    ("%252e", Some("%2e")),
    ("%25252e", Some("%252e")),
    ("%00", Some("\0")),
    ("%0D%0a", Some("\r\n")),
    ("%C3%A4", Some("ä")),
    ("ä", Some("ä")),
    ("%", Some("%")),
    ("%4", Some("%4")),
    ("%zz", Some("%zz")),
    ("%%41", Some("%A")),
    // Not UTF-8: a stray byte, an overlong slash, half of a pair, beyond the last character.
    ("%ff", None),
    ("a%C3", None),
    ("%C3(", None),
    ("%c0%af", None),
    ("%ed%a0%80", None),
    ("%f4%90%80%80", None),
];

#[test]
fn targets_are_split_into_their_parts() {
    for (text, path, query, authority) in VALID {
        let expected = Target {
            path,
            query,
            authority: *authority,
        };
        assert_eq!(Target::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn other_targets_are_refused() {
    for (text, error) in REFUSED {
        assert_eq!(Target::parse(text), Err(*error), "{text}");
    }
}

#[test]
fn parameters_are_decoded_once() {
    for (query, name, expected) in PARAMETERS {
        let text = format!("/?{query}");
        let target = Target::parse(&text).expect("a path with a query");
        assert_eq!(target.parameter(name).as_deref(), *expected, "{query}");
    }
}

#[test]
fn segments_are_decoded_once() {
    for (segment, expected) in SEGMENTS {
        assert_eq!(decode_segment(segment).as_deref(), *expected, "{segment}");
    }
}
