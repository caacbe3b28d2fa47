//! Dates as HTTP writes and reads them, and as JSON does.
//!
//! Invariants: dates are written in one form (IMF-fixdate; RFC 3339 in JSON and logs), in UTC, in whole seconds but for
//! the log; all three forms of HTTP are read.
//!
//! Sources: RFC 9110, section 5.6.7; RFC 3339.

use jiff::Timestamp;
use jiff::fmt::{StdFmtWrite, rfc2822, strtime, temporal};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The moment without its fraction of a second, which HTTP dates cannot say.
pub fn whole_seconds(time: SystemTime) -> SystemTime {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => UNIX_EPOCH + Duration::from_secs(since.as_secs()),
        Err(_) => UNIX_EPOCH,
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`. Moments before 1970 are written as 1970.
pub fn http(time: SystemTime) -> String {
    let mut text = String::with_capacity(29);
    // Fails only for years that jiff's type cannot hold anyway.
    let _ = rfc2822::DateTimePrinter::new()
        .print_timestamp_rfc9110(&timestamp(time), StdFmtWrite(&mut text));
    text
}

/// Reads any of the three forms: IMF-fixdate, RFC 850 and asctime.
pub fn parse(text: &str) -> Option<SystemTime> {
    let fixdate = || rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let obsolete = |format: &str| {
        strtime::parse(format, text)
            .and_then(|parsed| parsed.to_datetime())
            .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC))
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    let timestamp = if text.ends_with("GMT") {
        fixdate().or_else(|| obsolete("%A, %d-%b-%y %H:%M:%S GMT"))
    } else {
        obsolete("%a %b %e %H:%M:%S %Y")
    };
    timestamp.map(SystemTime::from)
}

/// `2026-01-06T12:00:00Z`. Moments before 1970 are written as 1970.
pub fn rfc3339(time: SystemTime) -> String {
    timestamp(whole_seconds(time)).to_string()
}

/// `2026-01-06T12:00:00.123Z`, appended to `out`.
pub fn rfc3339_millis(time: SystemTime, out: &mut String) {
    const PRINTER: temporal::DateTimePrinter = temporal::DateTimePrinter::new().precision(Some(3));
    // Writing to a string does not fail.
    let _ = PRINTER.print_timestamp(&timestamp(time), StdFmtWrite(out));
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time.max(UNIX_EPOCH)).unwrap_or(Timestamp::UNIX_EPOCH)
}
