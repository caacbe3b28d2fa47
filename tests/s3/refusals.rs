//! What a store may answer and a real one cannot be made to: each with the kind of error, its
//! sentence, and how often it was asked.

use crate::bucket_at;
use crate::stand_in::{StandIn, answer, error};
use release_server::clock;
use release_server::date;
use release_server::s3::{Condition, Content, Get, Put, S3Error, S3ErrorKind};
use std::time::Duration;

const HEAD: &str = "etag: \"x\"\r\nlast-modified: Tue, 06 Jan 2026 12:00:00 GMT\r\n";
const LIST: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

fn list(url: &str) -> Result<Vec<String>, S3Error> {
    let mut keys = Vec::new();
    let listed = bucket_at(url, "team").list(&mut |object| keys.push(object.key));
    listed.map(|()| keys)
}

/// An answer, the kind of its error, the tries, and part of the sentence.
type Row = (String, S3ErrorKind, usize, &'static str);

/// About credentials, bucket and region.
fn of_the_bucket() -> Vec<Row> {
    use S3ErrorKind as Kind;
    let region = "<Region>eu-west-1</Region>";
    vec![
        (
            error(403, "AccessDenied", ""),
            Kind::Refused,
            1,
            "must be allowed to do this",
        ),
        (
            error(403, "SignatureDoesNotMatch", ""),
            Kind::Refused,
            1,
            "are not, or no longer, valid",
        ),
        (
            error(400, "ExpiredToken", ""),
            Kind::Refused,
            1,
            "answered 400 ExpiredToken",
        ),
        (
            error(404, "NoSuchBucket", ""),
            Kind::NoSuchBucket,
            1,
            "there is no bucket packages",
        ),
        (
            error(404, "NoSuchKey", ""),
            Kind::NotFound,
            1,
            "answered 404 NoSuchKey",
        ),
        (
            error(301, "PermanentRedirect", ""),
            Kind::WrongRegion,
            1,
            "set bucket_region or",
        ),
        (
            error(400, "AuthorizationHeaderMalformed", region),
            Kind::WrongRegion,
            1,
            "set bucket_region to eu-west-1",
        ),
    ]
}

/// About conditions and load.
fn of_the_request() -> Vec<Row> {
    use S3ErrorKind as Kind;
    vec![
        (
            error(409, "OperationAborted", ""),
            Kind::Conflict,
            4,
            "409 OperationAborted",
        ),
        (
            error(412, "PreconditionFailed", ""),
            Kind::PreconditionFailed,
            1,
            "412",
        ),
        (
            error(429, "", ""),
            Kind::Throttled,
            4,
            "the store answered 429",
        ),
        (
            error(503, "SlowDown", ""),
            Kind::Throttled,
            4,
            "503 SlowDown",
        ),
        (
            error(500, "InternalError", ""),
            Kind::Unavailable,
            4,
            "500 InternalError",
        ),
        (
            answer(502, "", "<html>bad gateway"),
            Kind::Unavailable,
            4,
            "answered 502",
        ),
        (error(507, "", ""), Kind::Full, 1, "answered 507"),
    ]
}

/// About the content, and what is not a store.
fn others() -> Vec<Row> {
    use S3ErrorKind as Kind;
    vec![
        (
            error(403, "QuotaExceeded", ""),
            Kind::Full,
            1,
            "403 QuotaExceeded",
        ),
        (
            error(400, "XAmzContentSHA256Mismatch", ""),
            Kind::DigestMismatch,
            1,
            "Mismatch",
        ),
        (
            error(501, "NotImplemented", ""),
            Kind::Invalid,
            1,
            "501 NotImplemented",
        ),
        // What is not an answer of a store is one of something before it.
        (
            answer(200, "", "<html>hello</html>"),
            Kind::Invalid,
            1,
            "not a list of objects",
        ),
        (
            answer(200, "", &LIST.replace("</List", "</")),
            Kind::Invalid,
            1,
            "not a list",
        ),
        (
            error(418, "<script>\u{7}&lt;b", ""),
            Kind::Invalid,
            1,
            "answered 418",
        ),
        (
            String::new(),
            Kind::Unavailable,
            4,
            "cannot list the bucket packages: 127.0.0.1",
        ),
    ]
}

#[test]
fn every_refusal_has_its_kind_and_number_of_tries() {
    for (text, kind, tries, part) in [of_the_bucket(), of_the_request(), others()].concat() {
        let shown = text.clone();
        let store = StandIn::start(move |_, _| text.clone());
        let error = list(&store.url()).unwrap_err();
        assert_eq!(error.kind, kind, "{error}: {shown}");
        assert!(error.why.contains(part), "{error}");
        assert!(!error.why.contains(char::is_control) && !error.why.contains("secret"));
        assert_eq!(store.received().len(), tries, "{error}");
    }
}

#[test]
fn a_store_that_fails_thrice_is_asked_four_times() {
    for failure in [
        String::new(),
        error(500, "InternalError", ""),
        error(503, "SlowDown", ""),
    ] {
        let store = StandIn::start(move |number, _| match number {
            0..=2 => failure.clone(),
            _ => answer(200, "", LIST),
        });
        assert_eq!(list(&store.url()).unwrap(), [""; 0]);
    }
}

#[test]
fn pages_are_followed_and_a_circle_is_not() {
    let page = |key: &str, more: &str| {
        format!(
            "<ListBucketResult><IsTruncated>{}</IsTruncated><NextContinuationToken>{more}\
             </NextContinuationToken><Contents><Key>team/{key}</Key><Size>1</Size>\
             <LastModified>2026-01-06T12:00:00Z</LastModified></Contents></ListBucketResult>",
            !more.is_empty()
        )
    };
    let store = StandIn::start(move |number, _| {
        answer(
            200,
            "",
            &[page("a", "n 1+/"), page("b", "n2"), page("c", "")][number],
        )
    });
    assert_eq!(list(&store.url()).unwrap(), ["a", "b", "c"]);
    let targets: Vec<String> = store
        .received()
        .into_iter()
        .map(|request| request.target)
        .collect();
    let common = "delimiter=%2F&list-type=2&max-keys=1000&prefix=team%2F";
    assert_eq!(targets[0], format!("/packages?{common}"));
    assert_eq!(
        targets[1],
        format!("/packages?continuation-token=n%201%2B%2F&{common}")
    );
    let circle = StandIn::start(move |_, _| answer(200, "", &page("a", "again")));
    assert_eq!(list(&circle.url()).unwrap_err().kind, S3ErrorKind::Invalid);
}

#[test]
fn the_clock_is_corrected_by_the_stores_date() {
    // The store's clock is 20 minutes ahead, and it refuses what is off by 15.
    let ahead = Duration::from_mins(20);
    let store = StandIn::start(move |_, request| {
        let now = clock::wall_now() + ahead;
        let date = format!("date: {}\r\n", date::http(now));
        let signed = request.field("x-amz-date").unwrap();
        let minute = date::rfc3339(now).replace(['-', ':'], "")[..13].to_owned();
        if signed.starts_with(&minute) {
            answer(200, &format!("{HEAD}{date}"), "")
        } else {
            answer(403, &date, "")
        }
    });
    let bucket = bucket_at(&store.url(), "");
    bucket.head("x").unwrap();
    bucket.head("x").unwrap();
    assert_eq!(
        store.received().len(),
        3,
        "corrected once, for all that follow"
    );

    let hopeless = StandIn::start(|_, _| {
        let date = "date: Tue, 06 Jan 2026 12:00:00 GMT\r\n";
        answer(
            403,
            date,
            "<Error><Code>RequestTimeTooSkewed</Code></Error>",
        )
    });
    let error = list(&hopeless.url()).unwrap_err();
    assert_eq!(error.kind, S3ErrorKind::ClockSkew, "{error}");
    assert_eq!(hopeless.received().len(), 2);
}

#[test]
fn what_a_put_sends_is_its_bytes_hash_condition_and_metadata() {
    let store = StandIn::start(|_, _| answer(200, "etag: \"new\"\r\n", ""));
    let bucket = bucket_at(&store.url(), "team");
    let put = Put {
        content: Content::Bytes(b"hello"),
        condition: Condition::IsNew,
        metadata: &[("upload", "id"), ("sha256", "aa")],
    };
    assert_eq!(bucket.put("a b+ü.zip", &put).unwrap(), "\"new\"");
    let request = &store.received()[0];
    assert_eq!(request.target, "/packages/team/a%20b%2B%C3%BC.zip");
    assert_eq!(request.body, b"hello");
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(request.field("x-amz-content-sha256"), Some(hash));
    assert_eq!(request.field("if-none-match"), Some("*"));
    assert_eq!(request.field("x-amz-meta-upload"), Some("id"));
    for absent in [
        "expect",
        "x-amz-checksum-sha256",
        "content-md5",
        "accept-encoding",
    ] {
        assert_eq!(request.field(absent), None);
    }
    let signed = request.field("authorization").unwrap();
    let names = "if-none-match;x-amz-content-sha256;x-amz-date;x-amz-meta-sha256;x-amz-meta-upload";
    assert!(
        signed.contains(&format!("SignedHeaders=host;{names},")),
        "{signed}"
    );
}

#[test]
fn a_range_that_is_ignored_is_an_error() {
    let store = StandIn::start(|_, _| answer(200, HEAD, "all of it"));
    let get = Get {
        range: Some((2, 4)),
        ..Get::default()
    };
    let error = bucket_at(&store.url(), "").get("x", &get).unwrap_err();
    assert_eq!(error.kind, S3ErrorKind::Invalid);
    assert_eq!(store.received()[0].field("range"), Some("bytes=2-3"));
}
