//! Conditional requests: whether an answer is needed, and whether a range still fits the file.
//!
//! Invariants: conditions are evaluated in the order of RFC 9110, section 13.2.2, so that
//! `If-None-Match` overrides `If-Modified-Since`; entity tags are compared strongly where a client
//! joins bytes of two answers.
//!
//! Source: RFC 9110, sections 8.8.3 and 13.1.

use crate::date;
use crate::http::fields::Fields;
use std::time::{Duration, SystemTime};

/// What the conditions of a request are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Validators<'a> {
    /// The strong entity tag, with its quotes.
    pub etag: &'a str,
    /// The time of the last change, where it is known.
    pub modified: Option<SystemTime>,
}

/// The result of evaluating the conditions of a GET or HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answer as if the request had no conditions.
    Proceed,
    /// 304: the client has this version.
    NotModified,
    /// 412: the client asks for another version than the current one.
    PreconditionFailed,
}

/// Evaluates all conditions except `If-Range`.
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

/// The conditions of a request that changes a resource, kept until the change is made.
#[derive(Clone, Debug)]
pub struct WriteConditions {
    if_match: Vec<Vec<u8>>,
    if_none_match: Vec<Vec<u8>>,
    unmodified_since: Option<SystemTime>,
}

impl WriteConditions {
    /// `None` for a request without conditions. A date that cannot be read is not a condition (RFC
    /// 9110, section 13.1.4).
    pub fn of(fields: &Fields<'_, '_>) -> Option<Self> {
        let values = |name: &str| fields.all(name).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let conditions = Self {
            if_match: values("if-match"),
            if_none_match: values("if-none-match"),
            unmodified_since: fields
                .all("if-unmodified-since")
                .next()
                .and_then(parse_date),
        };
        let has_any = !conditions.if_match.is_empty()
            || !conditions.if_none_match.is_empty()
            || conditions.unmodified_since.is_some();
        has_any.then_some(conditions)
    }

    /// Whether all conditions hold for the current representation, or for there being none.
    pub fn hold(&self, current: Option<Validators<'_>>) -> bool {
        let Some(current) = current else {
            return self.if_match.is_empty();
        };
        let etag = current.etag.as_bytes();
        let any = |values: &[Vec<u8>], test: &dyn Fn(&[u8]) -> bool| {
            values.iter().any(|value| any_member(value, test))
        };
        let is_current = if self.if_match.is_empty() {
            let modified = current.modified.map(date::whole_seconds);
            let dates = modified.zip(self.unmodified_since);
            dates.is_none_or(|(modified, since)| modified <= since)
        } else {
            any(&self.if_match, &|tag| tag == etag)
        };
        let weakly_equal = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag) == etag;
        is_current && !any(&self.if_none_match, &weakly_equal)
    }
}

/// Whether a `Range` may be honoured: there is no `If-Range`, or it names this version. A date does
/// so only when it equals the file's, and is old enough that the file cannot have changed twice in
/// that second.
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

/// Whether the content is newer than the date in the field; `None` if the field or the time is
/// missing or the field is not a date.
fn changed_since(fields: &Fields<'_, '_>, name: &str, validators: Validators<'_>) -> Option<bool> {
    let date = parse_date(fields.all(name).next()?)?;
    Some(date::whole_seconds(validators.modified?) > date)
}

fn parse_date(value: &[u8]) -> Option<SystemTime> {
    date::parse(std::str::from_utf8(value).ok()?)
}

/// Whether any member of the field's list is `*` or passes the test. Commas within a tag's quotes
/// do not separate members.
fn any_tag(fields: &Fields<'_, '_>, name: &str, test: impl Fn(&[u8]) -> bool) -> bool {
    fields.all(name).any(|value| any_member(value, &test))
}

fn any_member(value: &[u8], test: impl Fn(&[u8]) -> bool) -> bool {
    let mut quoted = false;
    value
        .split(|byte| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        })
        .map(<[u8]>::trim_ascii)
        .any(|member| member == b"*" || test(member))
}
