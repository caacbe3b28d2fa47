//! Dates: the three forms of HTTP, of which one is written, and RFC 3339; against a table and a
//! second calendar.
//!
//! Sources: RFC 9110, section 5.6.7; RFC 3339, section 5.6; the module's invariant (every time that
//! a file system can hold can be written).

use crate::Random;
use release_server::date::{http, parse, rfc3339, rfc3339_millis, whole_seconds};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 9999-12-31T23:59:59Z.
const LAST: u64 = 253_402_300_799;

/// Seconds since 1970, with the date in HTTP's form and in that of RFC 3339.
pub const WRITTEN: &[(u64, &str, &str)] = &[
    (0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
    (
        784_111_777,
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
    ),
    (
        946_684_799,
        "Fri, 31 Dec 1999 23:59:59 GMT",
        "1999-12-31T23:59:59Z",
    ),
    (
        951_825_600,
        "Tue, 29 Feb 2000 12:00:00 GMT",
        "2000-02-29T12:00:00Z",
    ),
    (
        1_709_164_800,
        "Thu, 29 Feb 2024 00:00:00 GMT",
        "2024-02-29T00:00:00Z",
    ),
    (
        1_767_700_800,
        "Tue, 06 Jan 2026 12:00:00 GMT",
        "2026-01-06T12:00:00Z",
    ),
    (
        2_147_483_648,
        "Tue, 19 Jan 2038 03:14:08 GMT",
        "2038-01-19T03:14:08Z",
    ),
    (
        4_107_542_399,
        "Sun, 28 Feb 2100 23:59:59 GMT",
        "2100-02-28T23:59:59Z",
    ),
    (
        4_107_542_400,
        "Mon, 01 Mar 2100 00:00:00 GMT",
        "2100-03-01T00:00:00Z",
    ),
    (
        LAST,
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "9999-12-31T23:59:59Z",
    ),
];

/// Dates in the two obsolete forms, which must be accepted.
pub const OBSOLETE: &[(u64, &str)] = &[
    (784_111_777, "Sunday, 06-Nov-94 08:49:37 GMT"),
    (946_684_799, "Friday, 31-Dec-99 23:59:59 GMT"),
    (951_825_600, "Tuesday, 29-Feb-00 12:00:00 GMT"),
    (1_767_700_800, "Tuesday, 06-Jan-26 12:00:00 GMT"),
    (784_111_777, "Sun Nov  6 08:49:37 1994"),
    (951_825_600, "Tue Feb 29 12:00:00 2000"),
    (4_107_542_400, "Mon Mar  1 00:00:00 2100"),
];

/// Texts that are not dates.
pub const REFUSED: &[&str] = &[
    "",
    "0",
    "784111777",
    "Sun, 06 Nov 1994",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 GMT; length=5",
    "Sun, 06 Nov 1994 08:49:37 GMT GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 19940 08:49:37 GMT",
    "sun, 06 nov 1994 08:49:37 gmt",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 -8:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Thu, 31 Nov 1994 08:49:37 GMT",
    "Wed, 29 Feb 2023 08:49:37 GMT",
    "Mon, 29 Feb 2100 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 1994 GMT",
    "1994-11-06T08:49:37Z",
    "1994-11-06 08:49:37",
    "S\u{fc}n, 06 Nov 1994 08:49:37 GMT",
    "\u{ff10}",
];

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Times that a file system can hold and HTTP cannot express, with the nearest that it can.
fn beyond() -> [(SystemTime, u64); 6] {
    let most = i64::MAX.unsigned_abs();
    [
        (UNIX_EPOCH - Duration::from_nanos(1), 0),
        (UNIX_EPOCH - Duration::from_hours(24), 0),
        (UNIX_EPOCH - Duration::from_secs(most), 0),
        (at(LAST) + Duration::from_nanos(999_999_999), LAST),
        (at(LAST + 1), LAST),
        (at(most), LAST),
    ]
}

#[test]
fn dates_are_written_and_read_back() {
    for (seconds, as_http, as_json) in WRITTEN {
        for fraction in [0, 1, 500_000_000, 999_999_999] {
            let time = at(*seconds) + Duration::from_nanos(fraction);
            assert_eq!(http(time), *as_http);
            assert_eq!(rfc3339(time), *as_json);
            assert_eq!(whole_seconds(time), at(*seconds), "{as_http}");
        }
        assert_eq!(parse(as_http), Some(at(*seconds)), "{as_http}");
    }
}

#[test]
fn obsolete_forms_are_read() {
    for (seconds, text) in OBSOLETE {
        assert_eq!(parse(text), Some(at(*seconds)), "{text}");
    }
}

#[test]
fn other_texts_are_not_dates() {
    for text in REFUSED {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn moments_beyond_are_clamped() {
    for (time, seconds) in beyond() {
        assert_eq!(whole_seconds(time), at(seconds));
        assert_eq!(http(time), http(at(seconds)));
        assert_eq!(rfc3339(time), rfc3339(at(seconds)));
    }
}

#[test]
fn log_lines_have_milliseconds() {
    let time = at(1_767_700_800) + Duration::from_micros(123_999);
    let written = rfc3339_millis(time).to_string();
    assert_eq!(written, "2026-01-06T12:00:00.123Z");
    let before = rfc3339_millis(UNIX_EPOCH - Duration::from_secs(1)).to_string();
    assert_eq!(before, "1970-01-01T00:00:00.000Z");
}

#[test]
fn log_lines_have_a_last_moment() {
    for (time, _) in beyond() {
        let written = rfc3339_millis(time).to_string();
        assert_eq!(written.len(), "1970-01-01T00:00:00.000Z".len(), "{written}");
    }
}

/// Year, month and day of a day since 1970, counted year by year: slow and plain.
fn calendar(mut days: u64) -> (u64, usize, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 0;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[test]
fn any_second_is_written_as_a_second_calendar_has_it() {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    // 1970 began on a Thursday.
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let mut random = Random::new(8);
    for round in 0..2_000 {
        // Most of them in the range of file times.
        let limit = if round % 4 == 0 {
            LAST + 1
        } else {
            4_200_000_000
        };
        let seconds = random.number() % limit;
        let (year, month, day) = calendar(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let clock = format!("{hour:02}:{minute:02}:{second:02}");
        let weekday = DAYS[usize::try_from(seconds / 86_400 % 7).unwrap()];
        let expected = format!("{weekday}, {day:02} {} {year} {clock} GMT", MONTHS[month]);
        assert_eq!(http(at(seconds)), expected);
        assert_eq!(parse(&expected), Some(at(seconds)), "{expected}");
        let asctime = format!("{weekday} {} {day:2} {clock} {year}", MONTHS[month]);
        assert_eq!(parse(&asctime), Some(at(seconds)), "{asctime}");
        let expected = format!("{year}-{:02}-{day:02}T{clock}Z", month + 1);
        assert_eq!(rfc3339(at(seconds)), expected);
    }
}
