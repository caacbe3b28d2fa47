//! Dates as HTTP writes and reads them, and as JSON does.
//!
//! Invariants: dates are written in one form (IMF-fixdate; RFC 3339 in JSON and logs), in UTC; all
//! three forms of HTTP are read; writing a date never fails, whatever time a file system holds.
//!
//! Sources: RFC 9110, section 5.6.7; RFC 3339.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 9999-12-31T23:59:59Z in seconds since 1970: the last second with a four-digit year.
const LAST_SECOND: u64 = 253_402_300_799;

/// The time without its fraction of a second, which HTTP dates cannot express, and limited to the
/// years that they can.
pub fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    UNIX_EPOCH + Duration::from_secs(since.as_secs().min(LAST_SECOND))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http(time: SystemTime) -> String {
    httpdate::fmt_http_date(whole_seconds(time))
}

/// Reads any of the three forms: IMF-fixdate, RFC 850 and asctime.
pub fn parse(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// `2026-01-06T12:00:00Z`.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(whole_seconds(time)).to_string()
}

/// `2026-01-06T12:00:00.123Z`.
pub fn rfc3339_millis(time: SystemTime) -> impl std::fmt::Display {
    let last = UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
    humantime::format_rfc3339_millis(time.clamp(UNIX_EPOCH, last))
}

/// Reads a time in UTC such as `2026-01-06T12:00:00Z`.
pub fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}
