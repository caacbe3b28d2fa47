//! Conditional requests: each condition, their precedence, and whether a range still applies.
//!
//! Sources: RFC 9110, sections 8.8.2.2 (dates that are old enough), 8.8.3.2 (comparison of tags),
//! 13.1 (conditions) and 13.2.2 (precedence).

use crate::with_fields;
use release_server::http::conditional::{Validators, Verdict, evaluate, range_applies};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ETAG: &str = "\"abc\"";

/// Half a second after `Sun, 06 Nov 1994 08:49:37 GMT`: file systems keep fractions, HTTP does not.
fn modified() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(784_111_777_500)
}

fn validators() -> Validators<'static> {
    Validators {
        etag: ETAG,
        modified: Some(modified()),
    }
}

/// Header lines, and the outcome for [`ETAG`] and that date.
pub const CONDITIONS: &[(&[&str], Verdict)] = &[
    (&[], Verdict::Proceed),
    // If-None-Match compares weakly.
    (&["If-None-Match: \"abc\""], Verdict::NotModified),
    (&["If-None-Match: W/\"abc\""], Verdict::NotModified),
    (&["If-None-Match: *"], Verdict::NotModified),
    (&["If-None-Match: \"x\", \"abc\""], Verdict::NotModified),
    (
        &["If-None-Match: \"x\",W/\"abc\" ,\"y\""],
        Verdict::NotModified,
    ),
    (&["If-None-Match: ,, \"abc\","], Verdict::NotModified),
    (&["If-None-Match: \"x,y\", \"abc\""], Verdict::NotModified),
    (
        &["If-None-Match: \"x\"", "If-None-Match: \"abc\""],
        Verdict::NotModified,
    ),
    (&["If-None-Match: \"x\""], Verdict::Proceed),
    (&["If-None-Match: abc"], Verdict::Proceed),
    (&["If-None-Match: \"ABC\""], Verdict::Proceed),
    (&["If-None-Match: w/\"abc\""], Verdict::Proceed),
    (&["If-None-Match: W/abc"], Verdict::Proceed),
    (&["If-None-Match: \"x,abc\""], Verdict::Proceed),
    (&["If-None-Match: \"abc\"x"], Verdict::Proceed),
    (&["If-None-Match: \"*\""], Verdict::Proceed),
    (&["If-None-Match: \"\""], Verdict::Proceed),
    (&["If-None-Match:"], Verdict::Proceed),
    // If-Modified-Since, in the three forms of a date; an equal date is not modified.
    (
        &["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"],
        Verdict::NotModified,
    ),
    (
        &["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"],
        Verdict::NotModified,
    ),
    (
        &["If-Modified-Since: Sun Nov  6 08:49:37 1994"],
        Verdict::NotModified,
    ),
    (
        &["If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT"],
        Verdict::NotModified,
    ),
    (
        &["If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT"],
        Verdict::NotModified,
    ),
    (
        &["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"],
        Verdict::Proceed,
    ),
    (
        &["If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"],
        Verdict::Proceed,
    ),
    (&["If-Modified-Since: 784111777"], Verdict::Proceed),
    (
        &["If-Modified-Since: Sun, 06 Nov 1994 08:49:37"],
        Verdict::Proceed,
    ),
    (&["If-Modified-Since:"], Verdict::Proceed),
    // If-Match compares strongly.
    (&["If-Match: \"abc\""], Verdict::Proceed),
    (&["If-Match: *"], Verdict::Proceed),
    (&["If-Match: \"x\", \"abc\""], Verdict::Proceed),
    (&["If-Match: \"x\"", "If-Match: \"abc\""], Verdict::Proceed),
    (&["If-Match: W/\"abc\""], Verdict::PreconditionFailed),
    (&["If-Match: \"x\""], Verdict::PreconditionFailed),
    (&["If-Match: \"x,abc\""], Verdict::PreconditionFailed),
    (&["If-Match: abc"], Verdict::PreconditionFailed),
    // If-Unmodified-Since.
    (
        &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"],
        Verdict::Proceed,
    ),
    (
        &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:38 GMT"],
        Verdict::Proceed,
    ),
    (&["If-Unmodified-Since: yesterday"], Verdict::Proceed),
    (
        &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"],
        Verdict::PreconditionFailed,
    ),
    // Tags override dates; If-Match and If-Unmodified-Since precede the other two.
    (
        &[
            "If-None-Match: \"x\"",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
        ],
        Verdict::Proceed,
    ),
    (
        &[
            "If-None-Match: \"abc\"",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
        ],
        Verdict::NotModified,
    ),
    (
        &[
            "If-Match: \"abc\"",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
        ],
        Verdict::Proceed,
    ),
    (
        &[
            "If-Match: \"x\"",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:38 GMT",
        ],
        Verdict::PreconditionFailed,
    ),
    (
        &["If-None-Match: \"abc\"", "If-Match: \"x\""],
        Verdict::PreconditionFailed,
    ),
    (
        &["If-None-Match: \"abc\"", "If-Match: \"abc\""],
        Verdict::NotModified,
    ),
    (
        &[
            "If-None-Match: \"abc\"",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
        ],
        Verdict::PreconditionFailed,
    ),
    (
        &[
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
        ],
        Verdict::NotModified,
    ),
    // None of these conditions.
    (
        &["If-Range: \"x\"", "ETag: \"abc\"", "X-If-None-Match: *"],
        Verdict::Proceed,
    ),
];

/// `If-Range` values, and whether the range applies to the current file.
pub const IF_RANGE: &[(&str, bool)] = &[
    ("\"abc\"", true),
    ("W/\"abc\"", false),
    ("\"x\"", false),
    ("\"abc\", \"x\"", false),
    ("abc", false),
    ("*", false),
    ("", false),
    ("Sun, 06 Nov 1994 08:49:37 GMT", true),
    ("Sunday, 06-Nov-94 08:49:37 GMT", true),
    ("Sun Nov  6 08:49:37 1994", true),
    ("Sun, 06 Nov 1994 08:49:36 GMT", false),
    ("Sun, 06 Nov 1994 08:49:38 GMT", false),
    ("Sun, 06 Nov 1994 08:49:37", false),
    ("784111777", false),
];

#[test]
fn conditions_are_weighed_in_their_order() {
    for (lines, expected) in CONDITIONS {
        let verdict = with_fields(lines, |fields| evaluate(fields, validators()));
        assert_eq!(verdict, *expected, "{lines:?}");
        let mut reversed = lines.to_vec();
        reversed.reverse();
        let verdict = with_fields(&reversed, |fields| evaluate(fields, validators()));
        assert_eq!(verdict, *expected, "{reversed:?}");
    }
}

/// RFC 9110, section 8.8.3: a tag may hold commas, and no escapes.
#[test]
fn a_comma_within_a_tag_separates_nothing() {
    let validators = Validators {
        etag: "\"a,b\"",
        modified: None,
    };
    let cases = [
        ("If-None-Match: \"a,b\"", Verdict::NotModified),
        (
            "If-None-Match: \"x\", W/\"a,b\",\"y\"",
            Verdict::NotModified,
        ),
        ("If-None-Match: \"a\",\"b\"", Verdict::Proceed),
        ("If-None-Match: \"a\\\", \"a,b\"", Verdict::NotModified),
        ("If-Match: \"a,b\"", Verdict::Proceed),
        ("If-Match: \"a, b\"", Verdict::PreconditionFailed),
    ];
    for (line, expected) in cases {
        let verdict = with_fields(&[line], |fields| evaluate(fields, validators));
        assert_eq!(verdict, expected, "{line}");
    }
}

#[test]
fn an_unknown_date_fails_no_condition() {
    let validators = Validators {
        etag: ETAG,
        modified: None,
    };
    for name in ["If-Modified-Since", "If-Unmodified-Since"] {
        for date in [
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            let line = format!("{name}: {date}");
            let verdict = with_fields(&[&line], |fields| evaluate(fields, validators));
            assert_eq!(verdict, Verdict::Proceed, "{line}");
        }
    }
    let line = "If-Range: Thu, 01 Jan 1970 00:00:00 GMT";
    let now = modified() + Duration::from_hours(1);
    assert!(!with_fields(&[line], |fields| range_applies(
        fields, validators, now
    )));
}

#[test]
fn ranges_are_cut_from_the_version_that_is_named() {
    let now = modified() + Duration::from_hours(1);
    for (value, expected) in IF_RANGE {
        let line = format!("If-Range: {value}");
        let applies = with_fields(&[&line], |fields| range_applies(fields, validators(), now));
        assert_eq!(applies, *expected, "{line}");
    }
    assert!(with_fields(&[], |fields| range_applies(
        fields,
        validators(),
        now
    )));
}

/// A file can change again within the same second, so its date identifies nothing; neither does a
/// date from a clock that was set back.
#[test]
fn a_date_that_is_too_young_names_no_version() {
    let lines = ["If-Range: Sun, 06 Nov 1994 08:49:37 GMT"];
    let applies = |now| with_fields(&lines, |fields| range_applies(fields, validators(), now));
    for age in [0, 400, 1000].map(Duration::from_millis) {
        assert!(!applies(modified() + age), "{age:?} after");
    }
    assert!(!applies(modified() - Duration::from_hours(1)));
    assert!(applies(modified() + Duration::from_millis(1001)));
}
