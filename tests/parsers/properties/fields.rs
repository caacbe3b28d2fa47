//! Request fields that ask for or state a property of a file: ranges, conditions, digests and
//! dates.
//!
//! Sources: RFC 9110, sections 5.6.7, 13 and 14; RFC 9530; the invariants of `http::range`,
//! `http::conditional`, `http::digest` and `date`.

use release_server::checksum::Sha256;
use release_server::date;
use release_server::http::conditional::{Validators, Verdict, evaluate, range_applies};
use release_server::http::digest::{member, stated};
use release_server::http::fields::{Fields, field_slots};
use release_server::http::head::{Parsed, parse};
use release_server::http::range::{self, RangeRequest};
use std::time::{Duration, UNIX_EPOCH};

const ETAG: &str = "\"abc\"";

/// Every property of such fields. The input is header lines, and a value by itself as well.
pub fn check(input: &[u8]) {
    check_range(input);
    if let Ok(text) = std::str::from_utf8(input) {
        check_date(text);
    }
    let shown = input.escape_ascii().to_string();
    with_fields(input, |fields| {
        for value in fields.all("range") {
            check_range(value);
        }
        for member in fields.members("if-none-match") {
            assert!(!member.is_empty() && !member.contains(&b','), "{shown}");
        }
        check_conditions(fields, &shown);
        check_digests(fields, &shown);
    });
}

/// Calls `check` with the fields of a request with these header lines; `None` if they make no head.
pub fn with_fields<T>(lines: &[u8], check: impl FnOnce(&Fields<'_, '_>) -> T) -> Option<T> {
    let head = [b"GET / HTTP/1.1\r\nHost: a\r\n", lines, b"\r\n\r\n"].concat();
    let mut slots = field_slots();
    match parse(&head, &mut slots) {
        Ok(Parsed::Complete(head, _)) => Some(check(&head.fields)),
        _ => None,
    }
}

fn check_range(value: &[u8]) {
    let shown = value.escape_ascii();
    let ignored = range::parse(value, 1) == RangeRequest::Whole;
    for size in [0, 1, 10, 1 << 31, 1 << 40, u64::MAX] {
        let found = range::parse(value, size);
        // Whether a value is a range does not depend on the file.
        assert_eq!(found == RangeRequest::Whole, ignored, "{shown} of {size}");
        if let RangeRequest::Part { first, last } = found {
            assert!(first <= last && last < size, "{shown} of {size}");
            let again = range::parse(format!("bytes={first}-{last}").as_bytes(), size);
            assert_eq!(again, found, "{shown} of {size}");
        }
    }
}

fn check_date(text: &str) {
    if let Some(time) = date::parse(text) {
        assert_eq!(date::whole_seconds(time), time, "{text:?}");
        assert_eq!(date::parse(&date::http(time)), Some(time), "{text:?}");
    }
}

fn check_conditions(fields: &Fields<'_, '_>, shown: &str) {
    let has = |name: &str| fields.all(name).next().is_some();
    let names_etag = |name: &str| {
        fields.all(name).any(|value| {
            let holds = |sought: &[u8]| value.windows(sought.len()).any(|part| part == sought);
            holds(b"*") || holds(ETAG.as_bytes())
        })
    };
    for modified in [
        None,
        Some(UNIX_EPOCH + Duration::from_millis(784_111_777_500)),
    ] {
        let validators = Validators {
            etag: ETAG,
            modified,
        };
        let reason = match evaluate(fields, validators) {
            Verdict::Proceed => !has("if-match") || names_etag("if-match"),
            Verdict::NotModified if has("if-none-match") => names_etag("if-none-match"),
            Verdict::NotModified => modified.is_some() && has("if-modified-since"),
            Verdict::PreconditionFailed if has("if-match") => true,
            Verdict::PreconditionFailed => modified.is_some() && has("if-unmodified-since"),
        };
        assert!(reason, "{shown}");
        let now = UNIX_EPOCH + Duration::from_secs(784_111_780);
        if range_applies(fields, validators, now) {
            let condition = fields.all("if-range").next();
            let is_date = || modified.is_some() && condition.is_some_and(|text| text.len() >= 24);
            assert!(
                condition.is_none_or(|tag| tag == ETAG.as_bytes()) || is_date(),
                "{shown}"
            );
        }
    }
}

fn check_digests(fields: &Fields<'_, '_>, shown: &str) {
    let of_form = stated(fields, false);
    match stated(fields, true) {
        Ok(Some(digest)) => {
            // A form's body is not the file: it may state less, never another value.
            assert!(
                matches!(of_form, Ok(None)) || of_form == Ok(Some(digest)),
                "{shown}"
            );
            assert_eq!(
                Sha256::from_hex(digest.hex().as_bytes()),
                Some(digest),
                "{shown}"
            );
            let line = format!("Repr-Digest: {}", member(&digest));
            let again = with_fields(line.as_bytes(), |fields| stated(fields, false));
            assert_eq!(again, Some(Ok(Some(digest))), "{shown}");
        }
        Ok(None) => assert_eq!(of_form, Ok(None), "{shown}"),
        Err(_) => {}
    }
}
