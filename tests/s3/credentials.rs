//! The five sources of credentials, each against a stand-in of its protocol.

use crate::settings;
use crate::stand_in::{Received, StandIn, answer};
use release_server::metrics::StoreMetrics;
use release_server::s3::credentials::{CredentialCache, Credentials, Source};
use release_server::s3::{Bucket, S3ErrorKind};
use std::path::Path;
use std::sync::Arc;

const BUCKET: [(&str, &str); 2] = [
    ("BUCKET", "s3://packages"),
    ("BUCKET_REGION", "eu-central-1"),
];

fn cache(variables: &[(&str, &str)]) -> CredentialCache {
    let settings = settings(&[&BUCKET, variables].concat());
    let source = Source::of(&settings).unwrap();
    CredentialCache::new(source, None, Arc::<StoreMetrics>::default()).unwrap()
}

fn current(variables: &[(&str, &str)]) -> Result<String, String> {
    cache(variables).current().map(|found| shown(&found))
}

fn shown(credentials: &Credentials) -> String {
    let token = credentials.token.as_deref().unwrap_or("-");
    format!(
        "{} {} {token}",
        credentials.access_key, credentials.secret_key
    )
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(name: &str, expiration: &str) -> String {
    let body = format!(
        "{{\"Code\":\"Success\",\"AccessKeyId\":\"{name}\",\"SecretAccessKey\":\"secret\",\
         \"Token\":\"token\",\"Expiration\":\"{expiration}\"}}"
    );
    answer(200, "", &body)
}

#[test]
fn files_are_read_again_and_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let (access, secret) = (folder.path().join("access"), folder.path().join("secret"));
    std::fs::write(&access, "one\n").unwrap();
    std::fs::write(&secret, "first secret\n").unwrap();
    let cache = cache(&[
        ("BUCKET_ACCESS_KEY_FILE", text(&access)),
        ("BUCKET_SECRET_KEY_FILE", text(&secret)),
        ("AWS_ACCESS_KEY_ID", "not"),
        ("AWS_SECRET_ACCESS_KEY", "these"),
    ]);
    assert_eq!(shown(&cache.current().unwrap()), "one first secret -");
    std::fs::write(&access, "two").unwrap();
    assert_eq!(shown(&cache.current().unwrap()), "two first secret -");
    // A file that cannot be read for a moment: the last keys count.
    std::fs::remove_file(&secret).unwrap();
    assert_eq!(shown(&cache.current().unwrap()), "two first secret -");
    assert_eq!(
        format!("{:?}", cache.current().unwrap()),
        "Credentials { expires: None, .. }"
    );
}

#[test]
fn the_environment_comes_second() {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let more = [
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
    ];
    assert_eq!(current(&[keys, more].concat()).unwrap(), "key secret token");
    let alone = settings(&[&BUCKET[..], &keys[..1]].concat());
    let why = Source::of(&alone).unwrap_err();
    assert!(
        why.ends_with("AWS_SECRET_ACCESS_KEY is not; set both"),
        "{why}"
    );
    assert!(!format!("{:?}", settings(&[&BUCKET[..], &keys].concat())).contains("secret\""));
}

#[test]
fn a_web_identity_is_exchanged() {
    let service = StandIn::start(|number, _| {
        if number > 0 {
            let body = "<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error>\
                        </ErrorResponse>";
            return answer(400, "", body);
        }
        answer(
            200,
            "",
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>to/ken=</SessionToken>\
             <SecretAccessKey>secret</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration>\
             <AccessKeyId>ASIA</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a.web/token").unwrap();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", text(&file)),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
        ("AWS_ENDPOINT_URL_STS", &service.url()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"),
    ];
    let cache = cache(&variables);
    for _ in 0..3 {
        assert_eq!(shown(&cache.current().unwrap()), "ASIA secret to/ken=");
    }
    let received = service.received();
    assert_eq!(received.len(), 1, "kept until shortly before they expire");
    assert_eq!(
        String::from_utf8_lossy(&received[0].body),
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15\
         &RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&RoleSessionName=release%2Dserver\
         &WebIdentityToken=a%2Eweb%2Ftoken"
    );
    let why = current(&variables).unwrap_err();
    assert!(why.ends_with("answered 400 ExpiredTokenException"), "{why}");
    let by_default = settings(&[&BUCKET[..], &variables[..2]].concat());
    let source = format!("{:?}", Source::of(&by_default).unwrap());
    assert!(
        source.contains("https://sts.eu-central-1.amazonaws.com"),
        "{source}"
    );
}

#[test]
fn a_container_has_a_url_and_a_token_file() {
    let agent = StandIn::start(|_, _| json("ASIA", "2099-01-01T00:00:00Z"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "pod token\n").unwrap();
    let url = format!("{}/v1/credentials?x=y", agent.url());
    let found = current(&[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", text(&file)),
    ]);
    assert_eq!(found.unwrap(), "ASIA secret token");
    let received = agent.received();
    assert_eq!(received[0].target, "/v1/credentials?x=y");
    assert_eq!(received[0].field("authorization"), Some("pod token"));
    for url in [
        "http://metadata.example/x",
        "http://169.254.170.2.example/x",
        "http://127.0.0.1@evil.example/",
        "ftp://127.0.0.1/",
    ] {
        let refused =
            settings(&[&BUCKET[..], &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]].concat());
        let why = Source::of(&refused).unwrap_err();
        assert!(why.contains("it takes an https URL"), "{url}: {why}");
    }
    let relative = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
    let source = Source::of(&settings(&[&BUCKET[..], &relative].concat())).unwrap();
    assert!(
        format!("{source:?}").contains("http://169.254.170.2/v2/x"),
        "{source:?}"
    );
}

fn instance(number: usize, request: &Received) -> String {
    match (request.method.as_str(), request.target.as_str()) {
        ("PUT", "/latest/api/token") => answer(200, "", "the-token"),
        _ if request.field("x-aws-ec2-metadata-token") != Some("the-token") => answer(401, "", ""),
        ("GET", "/latest/meta-data/iam/security-credentials/") => answer(200, "", "a role\n"),
        // Credentials that have expired are fetched for each use.
        ("GET", "/latest/meta-data/iam/security-credentials/a%20role") => {
            json(&format!("ASIA{number}"), "2001-01-01T00:00:00Z")
        }
        _ => answer(404, "", ""),
    }
}

#[test]
fn an_instance_is_asked_with_a_token_and_last() {
    let service = StandIn::start(instance);
    let url = service.url();
    let cache = cache(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)]);
    assert_eq!(shown(&cache.current().unwrap()), "ASIA2 secret token");
    assert_eq!(shown(&cache.current().unwrap()), "ASIA5 secret token");
    let ttl = service.received()[0]
        .field("x-aws-ec2-metadata-token-ttl-seconds")
        .map(str::to_owned);
    assert_eq!(ttl.as_deref(), Some("300"));

    let none = StandIn::start(|_, _| answer(403, "", ""));
    let why = current(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &none.url())]).unwrap_err();
    assert!(
        why.starts_with("no credentials from the instance's metadata service"),
        "{why}"
    );
    assert!(why.ends_with("/latest/api/token answered 403"), "{why}");
    let disabled = settings(&[&BUCKET[..], &[("AWS_EC2_METADATA_DISABLED", "true")]].concat());
    assert!(
        Source::of(&disabled)
            .unwrap_err()
            .starts_with("no credentials for the bucket: set")
    );
}

#[test]
fn refused_credentials_are_fetched_again_once() {
    let folder = tempfile::tempdir().unwrap();
    let (access, secret) = (folder.path().join("access"), folder.path().join("secret"));
    std::fs::write(&access, "old").unwrap();
    std::fs::write(&secret, "secret").unwrap();
    let rotated = access.clone();
    let store = StandIn::start(move |_, request| {
        if request
            .field("authorization")
            .unwrap()
            .contains("Credential=new/")
        {
            return answer(
                200,
                "etag: \"x\"\r\nlast-modified: Tue, 06 Jan 2026 12:00:00 GMT\r\n",
                "",
            );
        }
        std::fs::write(&rotated, "new").unwrap();
        answer(403, "", "")
    });
    let url = store.url();
    let settings = settings(&[
        ("BUCKET", "s3://packages"),
        ("BUCKET_ENDPOINT", &url),
        ("BUCKET_ACCESS_KEY_FILE", text(&access)),
        ("BUCKET_SECRET_KEY_FILE", text(&secret)),
    ]);
    let bucket = Bucket::new(&settings, Arc::default()).unwrap();
    bucket.head("x").unwrap();
    assert_eq!(store.received().len(), 2);

    let refusing = StandIn::start(|_, _| answer(403, "", ""));
    let bucket = crate::bucket_at(&refusing.url(), "");
    assert_eq!(bucket.head("x").unwrap_err().kind, S3ErrorKind::Refused);
    assert_eq!(
        refusing.received().len(),
        1,
        "the same credentials are not tried again"
    );
}
