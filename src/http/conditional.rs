//! Conditional requests: whether an answer is needed, and whether a range still fits the file.
//!
//! Invariants: conditions are looked at in the order of RFC 9110, section 13.2.2, so that `If-None-Match` stands over
//! `If-Modified-Since`; entity tags are compared strongly where bytes are put together from two answers.
//!
//! Source: RFC 9110, sections 8.8.3 and 13.1.

use crate::date;
use crate::http::fields::Fields;
use std::time::{Duration, SystemTime};

/// What an answer can be compared by.
#[derive(Clone, Copy, Debug)]
pub struct Validators<'a> {
    /// The strong entity tag, with its quotes.
    pub etag: &'a str,
    /// When the content last changed, where that is known.
    pub modified: Option<SystemTime>,
}

/// What the conditions of a GET or HEAD come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answer as if there had been none.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: the client wants another version than there is.
    PreconditionFailed,
}

/// Weighs all conditions but `If-Range`.
pub fn evaluate(fields: &Fields<'_, '_>, validators: Validators<'_>) -> Verdict {
    let has = |name: &str| fields.all(name).next().is_some();
    if has("if-match") {
        if !any_tag(fields, "if-match", |tag| tag == validators.etag.as_bytes()) {
            return Verdict::PreconditionFailed;
        }
    } else if changed_since(fields, "if-unmodified-since", validators) == Some(true) {
        return Verdict::PreconditionFailed;
    }
    if has("if-none-match") {
        let weakly_equal =
            |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag) == validators.etag.as_bytes();
        if any_tag(fields, "if-none-match", weakly_equal) {
            return Verdict::NotModified;
        }
    } else if changed_since(fields, "if-modified-since", validators) == Some(false) {
        return Verdict::NotModified;
    }
    Verdict::Proceed
}

/// Whether a `Range` may be honoured: there is no `If-Range`, or it names this very version. A date does so only when
/// it is exactly the file's, and old enough that the file cannot have changed twice in its second.
pub fn range_applies(fields: &Fields<'_, '_>, validators: Validators<'_>, now: SystemTime) -> bool {
    let Some(condition) = fields.all("if-range").next() else {
        return true;
    };
    if condition.starts_with(b"\"") || condition.starts_with(b"W/") {
        return condition == validators.etag.as_bytes();
    }
    match (parse_date(condition), validators.modified) {
        (Some(date), Some(modified)) => {
            let settled = now
                .duration_since(modified)
                .is_ok_and(|age| age > Duration::from_secs(1));
            settled && date == date::whole_seconds(modified)
        }
        _ => false,
    }
}

/// Whether the content is newer than the date in the field; `None` where either is missing or no date.
fn changed_since(fields: &Fields<'_, '_>, name: &str, validators: Validators<'_>) -> Option<bool> {
    let date = parse_date(fields.all(name).next()?)?;
    Some(date::whole_seconds(validators.modified?) > date)
}

fn parse_date(value: &[u8]) -> Option<SystemTime> {
    date::parse(std::str::from_utf8(value).ok()?)
}

/// Whether any member of the field's list is `*` or passes the test. Commas within a tag's quotes separate nothing.
fn any_tag(fields: &Fields<'_, '_>, name: &str, test: impl Fn(&[u8]) -> bool) -> bool {
    fields.all(name).any(|value| {
        let mut quoted = false;
        value
            .split(|byte| {
                quoted ^= *byte == b'"';
                *byte == b',' && !quoted
            })
            .map(<[u8]>::trim_ascii)
            .any(|member| member == b"*" || test(member))
    })
}
