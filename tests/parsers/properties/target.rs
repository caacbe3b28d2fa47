//! Targets and authorities: split without loss, decoded once, and echoed only if harmless.
//!
//! Sources: RFC 3986, sections 2.1 and 3; RFC 9112, section 3.2; the invariants of `http::target`
//! and `http::authority`.

use super::second_reader::is_authority;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use release_server::http::authority;
use release_server::http::target::{Target, decode_segment};

/// Every property of targets and authorities.
pub fn check(input: &[u8]) {
    check_authority(input);
    let text = &*String::from_utf8_lossy(input);
    check_target(text);
    check_query(text);
    if let Some(decoded) = decode_segment(text) {
        assert!(decoded.len() <= text.len(), "{text:?}");
        // Only percent signs are decoded.
        assert!(text.contains('%') || decoded == text, "{text:?}");
        let encoded = utf8_percent_encode(&decoded, NON_ALPHANUMERIC).to_string();
        assert_eq!(decode_segment(&encoded), Some(decoded), "{text:?}");
    }
}

/// Whether it is accepted. An accepted one needs no escaping in a header or a URL, and the second
/// reader accepts it too.
pub fn check_authority(input: &[u8]) -> bool {
    let Some(text) = authority::parse(input) else {
        return false;
    };
    assert_eq!(text.as_bytes(), input);
    assert!(is_authority(text), "{text:?}");
    let harmless = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}/?#@".contains(&byte);
    assert!(text.bytes().all(harmless), "{text:?}");
    true
}

fn check_target(text: &str) {
    let Ok(target) = Target::parse(text) else {
        return;
    };
    assert!(
        target.path.starts_with('/') || target.path == "*",
        "{text:?}"
    );
    assert!(!target.path.contains(['?', '#']), "{text:?}");
    assert!(!target.query.contains('#'), "{text:?}");
    if let Some(authority) = target.authority {
        assert!(check_authority(authority.as_bytes()), "{text:?}");
    }
    let origin = target
        .authority
        .map(|authority| format!("http://{authority}"));
    let again = format!(
        "{}{}?{}",
        origin.unwrap_or_default(),
        target.path,
        target.query
    );
    // `*` has no query (RFC 9112, section 3.2.4).
    if target.path != "*" {
        assert_eq!(Target::parse(&again), Ok(target), "{text:?}");
    }
}

fn check_query(text: &str) {
    let of = |query: &str| {
        let target = Target {
            path: "/",
            query,
            authority: None,
        };
        target.parameter("a").map(String::from)
    };
    let Some(value) = of(text) else {
        return;
    };
    // A byte outside UTF-8 becomes the three bytes of U+FFFD.
    assert!(value.len() <= 3 * text.len(), "{text:?}");
    let encoded = utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string();
    // The last one counts, whatever precedes it.
    let again = of(&format!("{text}&a={encoded}&b"));
    assert_eq!(again, Some(value), "{text:?}");
}
