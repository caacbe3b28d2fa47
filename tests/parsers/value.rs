//! The readers of single settings: sizes, durations, switches, log filters, base URLs.
//!
//! Source: docs/contract.md, section 5, and the sentences of `config::keys` about each setting.

use release_server::config::value::{base_url, duration, is_log_filter, size_bytes};
use release_server::text::{is_url_path, switch};
use std::time::Duration;

/// Sizes, in bytes.
pub const SIZES: &[(&str, Option<u64>)] = &[
    ("0", Some(0)),
    ("1", Some(1)),
    ("1073741824", Some(1 << 30)),
    ("18446744073709551615", Some(u64::MAX)),
    ("007", Some(7)),
    ("1KiB", Some(1024)),
    ("512MiB", Some(512 << 20)),
    ("1GiB", Some(1 << 30)),
    ("1 GiB", Some(1 << 30)),
    ("1gib", Some(1 << 30)),
    ("1GIB", Some(1 << 30)),
    ("10B", Some(10)),
    ("0GiB", Some(0)),
    ("17179869183GiB", Some(17_179_869_183 << 30)),
    // One more than 64 bits hold, with a unit and without.
    ("17179869184GiB", None),
    ("18446744073709551616", None),
    ("18446744073709551615KiB", None),
    ("", None),
    ("GiB", None),
    ("-1", None),
    ("+1", None),
    ("1.5GiB", None),
    ("1,5GiB", None),
    ("1_000", None),
    ("0x10", None),
    ("1e3", None),
    ("1K", None),
    ("1KB", None),
    ("1G", None),
    ("1TiB", None),
    ("1GiB/s", None),
    ("1GiB 1", None),
    ("1 G iB", None),
    ("\u{663}", None),
    ("unlimited", None),
];

/// Durations, in seconds.
pub const DURATIONS: &[(&str, Option<u64>)] = &[
    ("0", Some(0)),
    ("0s", Some(0)),
    ("25", Some(25)),
    ("25s", Some(25)),
    ("25 s", Some(25)),
    ("1m", Some(60)),
    ("90m", Some(5400)),
    ("86400", Some(86_400)),
    ("1440m", Some(86_400)),
    // More than a day.
    ("86401", None),
    ("1441m", None),
    ("307445734561825861m", None),
    ("18446744073709551616", None),
    ("", None),
    ("s", None),
    ("-1", None),
    ("+1", None),
    ("1.5s", None),
    ("1h", None),
    ("1ms", None),
    ("1M", None),
    ("1S", None),
    ("1min", None),
    ("1m30s", None),
    ("PT1M", None),
    ("\u{661}s", None),
];

/// Switches.
pub const SWITCHES: &[(&str, Option<bool>)] = &[
    ("true", Some(true)),
    ("1", Some(true)),
    ("yes", Some(true)),
    ("on", Some(true)),
    ("TRUE", Some(true)),
    ("Yes", Some(true)),
    ("false", Some(false)),
    ("0", Some(false)),
    ("no", Some(false)),
    ("off", Some(false)),
    ("False", Some(false)),
    ("", None),
    ("2", None),
    ("01", None),
    ("-1", None),
    ("t", None),
    ("y", None),
    ("truee", None),
    ("true ", None),
    ("null", None),
    ("enabled", None),
];

/// Log filters.
pub const LOG_FILTERS: &[(&str, bool)] = &[
    ("off", true),
    ("error", true),
    ("warn", true),
    ("info", true),
    ("debug", true),
    ("trace", true),
    ("INFO", true),
    ("info,release_server::storage=debug", true),
    ("info, release_server::storage = debug", true),
    ("release_server::server=off,warn", true),
    ("my-crate=info", true),
    ("", false),
    (",", false),
    ("info,", false),
    (",info", false),
    ("verbose", false),
    ("warning", false),
    ("0", false),
    ("info debug", false),
    ("info;debug", false),
    ("release_server", false),
    ("release_server=", false),
    ("release_server=loud", false),
    ("a=b=info", false),
    ("info/regex", false),
    ("info\nwarn", false),
    // A blank that is not ASCII.
    ("debug\u{a0}", false),
];

/// Bases of URLs, without the slash at their end.
pub const BASE_URLS: &[(&str, Option<&str>)] = &[
    ("http://a", Some("http://a")),
    ("http://a/", Some("http://a")),
    (
        "https://releases.example.org/specs",
        Some("https://releases.example.org/specs"),
    ),
    (
        "https://releases.example.org/specs/",
        Some("https://releases.example.org/specs"),
    ),
    ("HTTPS://a", Some("https://a")),
    ("http://a:8000/b/c", Some("http://a:8000/b/c")),
    ("http://[::1]:8000", Some("http://[::1]:8000")),
    ("http://a/b%20c~d;e=f", Some("http://a/b%20c~d;e=f")),
    ("", None),
    ("a", None),
    ("/a", None),
    ("//a", None),
    ("http:a", None),
    ("http:/a", None),
    ("http://", None),
    ("http:///a", None),
    ("ftp://a", None),
    ("javascript://a", None),
    ("http://user@a", None),
    ("http://user:secret@a/", None),
    ("http://a:b", None),
    ("http://a:65536", None),
    ("http://a?b", None),
    ("http://a/?b", None),
    ("http://a/b#c", None),
    ("http://a#b", None),
    ("http://a//b", None),
    ("http://a/b c", None),
    ("http://a/b\"c", None),
    ("http://a/<b>", None),
    ("http://a\\b", None),
    ("http://a/\\b", None),
    ("http://a/ä", None),
    ("http://a\n", None),
    (" http://a", None),
    ("http://[::1", None),
];

#[test]
fn sizes_are_read() {
    for (text, expected) in SIZES {
        assert_eq!(size_bytes(text), *expected, "{text}");
    }
}

#[test]
fn durations_are_read() {
    for (text, expected) in DURATIONS {
        assert_eq!(duration(text), expected.map(Duration::from_secs), "{text}");
    }
}

#[test]
fn switches_are_read() {
    for (text, expected) in SWITCHES {
        assert_eq!(switch(text), *expected, "{text}");
    }
}

#[test]
fn log_filters_are_checked() {
    for (text, expected) in LOG_FILTERS {
        assert_eq!(is_log_filter(text), *expected, "{text}");
    }
}

#[test]
fn base_urls_are_checked_and_end_without_a_slash() {
    for (text, expected) in BASE_URLS {
        assert_eq!(base_url(text).as_deref(), *expected, "{text}");
    }
}

#[test]
fn paths_of_urls_need_no_encoding() {
    for path in [
        "",
        "/",
        "/a",
        "/a/b/",
        "/a//b",
        "/.well-known/x",
        "/a@b:c!$&'()*+,;=~_",
        "/%C3%A4",
    ] {
        assert!(is_url_path(path), "{path}");
    }
    for path in [
        "a", "//a", "/a b", "/a?b", "/a#b", "/a\"b", "/a\\b", "/<a>", "/ä", "/a\r\nb", "/[a]",
        "/{a}", "/a|b",
    ] {
        assert!(!is_url_path(path), "{path}");
    }
}

/// RFC 3986, section 2.1: a percent sign begins two hexadecimal digits; alone it needs encoding.
#[test]
fn percent_signs_in_urls_are_encoded_bytes() {
    for path in ["/%", "/100%", "/%4", "/%zz"] {
        assert!(!is_url_path(path), "{path}");
    }
}
