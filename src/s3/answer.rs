//! What a store's answer means, where it is not the success that was asked for.
//!
//! Stores agree on the codes of errors less than on statuses, and an answer to HEAD has no body, so
//! both count.
//!
//! Source: Amazon S3 API Reference, "Error responses".

use super::error::{S3Error, S3ErrorKind as Kind};
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

/// What an answer says of itself.
struct Said {
    status: u16,
    code: String,
    /// The bucket's region; empty where the store does not name it.
    region: String,
}

/// Reads an answer; `action` completes "cannot …", `bucket` and `region` are the settings.
pub fn refusal(response: Response, action: &str, bucket: &str, region: &str) -> Refusal {
    let status = response.status();
    let date = response.header("date").and_then(date::parse);
    let named = response.header("x-amz-bucket-region").map(word);
    let body = response.read_to_end(S3_ERROR_BYTES_MAX).unwrap_or_default();
    let document = Element::parse(&body).unwrap_or_default();
    let said = Said {
        status,
        code: word(document.text_of("Code")),
        region: named.unwrap_or_else(|| word(document.text_of("Region"))),
    };
    let kind = kind(&said, region);
    let why = sentence(kind, &said, action, bucket, region);
    Refusal {
        may_pass: matches!(kind, Kind::Conflict | Kind::Throttled | Kind::Unavailable),
        of_credentials: kind == Kind::Refused,
        error: S3Error { kind, why },
        date,
    }
}

fn kind(said: &Said, region: &str) -> Kind {
    let is_other_region = !said.region.is_empty() && said.region != region;
    match (said.status, said.code.as_str()) {
        (_, "NoSuchBucket") => Kind::NoSuchBucket,
        (_, "RequestTimeTooSkewed" | "RequestExpired") => Kind::ClockSkew,
        (_, "PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException") => {
            Kind::WrongRegion
        }
        (301 | 307 | 308, _) => Kind::WrongRegion,
        // Some stores name the region in every error.
        (400, "AuthorizationHeaderMalformed" | "") if is_other_region => Kind::WrongRegion,
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
    }
}

fn sentence(kind: Kind, said: &Said, action: &str, bucket: &str, region: &str) -> String {
    let answer = format!("the store answered {} {}", said.status, said.code);
    let answer = answer.trim_end();
    match kind {
        Kind::NoSuchBucket => format!("there is no bucket {bucket}; create it, or set bucket"),
        Kind::WrongRegion if said.region.is_empty() => format!(
            "the bucket {bucket} is not in the region {region}, or not at this endpoint \
             ({answer}); set bucket_region or bucket_endpoint"
        ),
        Kind::WrongRegion => format!(
            "the bucket {bucket} is in the region {0}, not in {region}; set bucket_region to {0}",
            said.region
        ),
        Kind::ClockSkew => format!(
            "cannot {action}: the clocks of this host and of the store differ too much ({answer})"
        ),
        Kind::Refused if matches!(said.code.as_str(), "" | "AccessDenied") => format!(
            "cannot {action}: {answer}; the credentials must be allowed to do this (docs/bucket.md)"
        ),
        Kind::Refused => {
            format!("cannot {action}: {answer}; the credentials are not, or no longer, valid")
        }
        _ => format!("cannot {action}: {answer}"),
    }
}

/// A store's word, for a sentence: it may have sent anything.
fn word(text: &str) -> String {
    let is_safe = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    text.trim().chars().filter(is_safe).take(64).collect()
}
