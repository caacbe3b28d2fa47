//! What a store's answer means, where it is not the success that was asked for.
//!
//! Stores agree on the codes of errors less than on statuses, and an answer to HEAD has no body, so
//! both count.
//!
//! Source: Amazon S3 API Reference, "Error responses".

use super::error::{S3Error, S3ErrorKind};
use super::xml::Element;
use crate::client::Response;
use crate::date;
use crate::limits::bucket::S3_ERROR_BYTES_MAX;
use std::time::SystemTime;

/// An answer that is no success.
#[derive(Debug)]
pub struct Refusal {
    pub error: S3Error,
    /// The store's clock.
    pub date: Option<SystemTime>,
    /// Another try, with pauses, may succeed.
    pub may_pass: bool,
    /// Other credentials may be accepted.
    pub of_credentials: bool,
}

/// Reads an answer; `action` completes "cannot …", `bucket` and `region` are the settings.
pub fn refusal(response: Response, action: &str, bucket: &str, region: &str) -> Refusal {
    let status = response.status();
    let date = response.header("date").and_then(date::parse);
    let region_header = response.header("x-amz-bucket-region").map(word);
    let body = response.read_to_end(S3_ERROR_BYTES_MAX).unwrap_or_default();
    let document = Element::parse(&body).unwrap_or_default();
    let code = word(document.text_of("Code"));
    let named_region = region_header.filter(|region| !region.is_empty());
    let named_region = named_region.unwrap_or_else(|| word(document.text_of("Region")));
    let is_other_region = !named_region.is_empty() && named_region != region;

    use S3ErrorKind as Kind;
    let kind = match (status, code.as_str()) {
        (_, "NoSuchBucket") => Kind::NoSuchBucket,
        (_, "RequestTimeTooSkewed" | "RequestExpired") => Kind::ClockSkew,
        (_, "PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException") => {
            Kind::WrongRegion
        }
        (_, "AuthorizationHeaderMalformed") if is_other_region => Kind::WrongRegion,
        (301 | 307 | 308, _) => Kind::WrongRegion,
        (400, _) if is_other_region => Kind::WrongRegion,
        (_, "QuotaExceeded" | "XMinioStorageFull" | "InsufficientCapacity") | (507, _) => {
            Kind::Full
        }
        (_, "XAmzContentSHA256Mismatch" | "BadDigest" | "InvalidDigest") => Kind::DigestMismatch,
        (_, "ExpiredToken" | "InvalidToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
            Kind::Refused
        }
        (_, "SlowDown" | "TooManyRequests" | "Throttling" | "ThrottlingException") => {
            Kind::Throttled
        }
        (_, "RequestTimeout") => Kind::Unavailable,
        (304, _) => Kind::NotModified,
        (401 | 403, _) => Kind::Refused,
        (404, _) => Kind::NotFound,
        (409, _) => Kind::Conflict,
        (412, _) => Kind::PreconditionFailed,
        (429, _) => Kind::Throttled,
        (501, _) => Kind::Invalid,
        (500.., _) => Kind::Unavailable,
        _ => Kind::Invalid,
    };
    let answer = format!("the store answered {status} {code}");
    let answer = answer.trim_end();
    let why = match kind {
        Kind::NoSuchBucket => format!("there is no bucket {bucket}; create it, or set bucket"),
        Kind::WrongRegion if named_region.is_empty() => format!(
            "the bucket {bucket} is not in the region {region}, or not at this endpoint \
             ({answer}); set bucket_region or bucket_endpoint"
        ),
        Kind::WrongRegion => format!(
            "the bucket {bucket} is in the region {named_region}, not in {region}; set \
             bucket_region to {named_region}"
        ),
        Kind::ClockSkew => format!(
            "cannot {action}: the clocks of this host and of the store differ too much ({answer})"
        ),
        Kind::Refused if matches!(code.as_str(), "" | "AccessDenied") => format!(
            "cannot {action}: {answer}; the credentials must be allowed to do this (docs/bucket.md)"
        ),
        Kind::Refused => {
            format!("cannot {action}: {answer}; the credentials are not, or no longer, valid")
        }
        _ => format!("cannot {action}: {answer}"),
    };
    Refusal {
        may_pass: matches!(kind, Kind::Conflict | Kind::Throttled | Kind::Unavailable),
        of_credentials: kind == Kind::Refused,
        error: S3Error { kind, why },
        date,
    }
}

/// A store's word, for a sentence: it may have sent anything.
fn word(text: &str) -> String {
    let is_safe = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    text.trim().chars().filter(is_safe).take(64).collect()
}
