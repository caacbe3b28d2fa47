//! What `check-config` says of a bucket, by the real binary.

use crate::certificates::Authority;
use crate::stand_in::{StandIn, answer, error};
use crate::versitygw::{ACCESS_KEY, SECRET_KEY, Versitygw};
use std::process::Command;

/// The output, or the line on standard error.
fn check_config(endpoint: &str, more: &[(&str, &str)]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_release-server"))
        .arg("check-config")
        .current_dir(folder.path())
        .env_clear()
        .env("AUTH_TOKEN", "token")
        .env("BUCKET", "s3://packages/team")
        .env("BUCKET_ENDPOINT", endpoint)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .envs(more.iter().copied())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    for output in [&stdout, &stderr] {
        assert!(!output.contains(SECRET_KEY), "{output}");
    }
    if output.status.success() {
        return Ok(stdout);
    }
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    Err(stderr)
}

#[test]
fn a_bucket_that_is_as_it_must_be_is_described() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let output = check_config(&store.url(), &[]).unwrap();
    let place = format!("{}/packages/team/", store.url());
    let expected = format!(
        "the bucket at {place} is reached, in the region us-east-1\n\
         the bucket lists 0 objects\n\
         creates in the bucket are atomic\n\
         deletes in the bucket are conditional\n"
    );
    assert!(output.ends_with(&expected), "{output}");
    assert!(output.contains("(BUCKET)\n") && output.contains("\nbucket_transfers "));
    let why = check_config(&store.url(), &[("AWS_SECRET_ACCESS_KEY", "wrong")]).unwrap_err();
    assert!(
        why.contains("cannot list the bucket packages: the store answered 403"),
        "{why}"
    );
    let why = check_config(&store.url(), &[("BUCKET", "s3://missing")]).unwrap_err();
    assert!(
        why.contains("there is no bucket missing; create it, or set bucket"),
        "{why}"
    );
}

#[test]
fn a_store_over_tls_is_trusted_by_the_authorities_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let files = authority.pair().write(folder.path());
    let Some(store) = Versitygw::start_tls(&files.certificate, &files.key) else {
        return;
    };
    let url = store.url().replace("http:", "https:");
    let why = check_config(&url, &[]).unwrap_err();
    assert!(why.contains("invalid peer certificate"), "{why}");
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let trusted = [("BUCKET_CA_FILE", file.to_str().unwrap())];
    let output = check_config(&url, &trusted).unwrap();
    let reached = format!("the bucket at {url}/packages/team/ is reached");
    assert!(output.contains(&reached), "{output}");
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    // Every create succeeds, as on a store that ignores the condition.
    let lying = StandIn::start(move |_, request| match request.method.as_str() {
        "GET" => answer(200, "", list),
        _ => answer(200, "etag: \"x\"\r\n", ""),
    });
    let why = check_config(&lying.url(), &[]).unwrap_err();
    assert!(
        why.contains("set BUCKET_CREATE=check, and let one server"),
        "{why}"
    );
    let output = check_config(&lying.url(), &[("BUCKET_CREATE", "check")]).unwrap();
    assert!(
        output.contains("creates in the bucket are not atomic; only one server"),
        "{output}"
    );
    assert!(
        output.contains("deletes in the bucket are not conditional; "),
        "{output}"
    );

    let reader = StandIn::start(move |_, request| match request.method.as_str() {
        "GET" => answer(200, "", list),
        _ => error(403, "AccessDenied", ""),
    });
    let why = check_config(&reader.url(), &[]).unwrap_err();
    assert!(
        why.contains("cannot put team/.release-server/probe/"),
        "{why}"
    );
    assert!(
        why.contains("the credentials must be allowed to do this"),
        "{why}"
    );

    let keeper = StandIn::start(move |number, request| match request.method.as_str() {
        "GET" => answer(200, "", list),
        "PUT" if number == 1 => answer(200, "etag: \"x\"\r\n", ""),
        "PUT" => error(412, "PreconditionFailed", ""),
        _ => error(403, "AccessDenied", ""),
    });
    let why = check_config(&keeper.url(), &[]).unwrap_err();
    assert!(
        why.contains("cannot delete team/.release-server/probe/"),
        "{why}"
    );

    let elsewhere = StandIn::start(|_, _| {
        answer(
            301,
            "x-amz-bucket-region: eu-west-1\r\n",
            "<Error><Code>PermanentRedirect</Code></Error>",
        )
    });
    let why = check_config(&elsewhere.url(), &[]).unwrap_err();
    assert!(
        why.ends_with("not in us-east-1; set bucket_region to eu-west-1\n"),
        "{why}"
    );
    let why = check_config("http://127.0.0.1:1", &[]).unwrap_err();
    assert!(
        why.contains("cannot list the bucket packages: 127.0.0.1:1: "),
        "{why}"
    );
}
