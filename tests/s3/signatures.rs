//! Signatures: the examples that AWS publishes, and random requests against botocore.
//!
//! Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header" and
//! "Authenticating Requests: Using Query Parameters", with their example key and date.

use crate::ODD_NAMES;
use release_server::s3::credentials::Credentials;
use release_server::s3::sign::{Signer, Target};
use sha2::{Digest, Sha256};
use std::io::Seek;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

/// Friday, 2013-05-24 00:00:00 UTC.
const EXAMPLE_SECONDS: u64 = 1_369_353_600;
const EXAMPLE_HOST: &str = "examplebucket.s3.amazonaws.com";

fn example_credentials(token: Option<&str>) -> Credentials {
    Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        token: token.map(str::to_owned),
        expires: None,
    }
}

/// Names and values.
type Fields<'f> = &'f [(&'f str, &'f str)];

fn sha256(text: &str) -> String {
    release_server::checksum::hex(&Sha256::digest(text))
}

/// The value of the field `Authorization`.
fn authorization(
    credentials: &Credentials,
    seconds: u64,
    method: &str,
    target: &Target,
    headers: &[(&str, &str)],
    payload: &str,
) -> String {
    let signer = Signer {
        credentials,
        region: "us-east-1",
        time: UNIX_EPOCH + Duration::from_secs(seconds),
    };
    let mut fields: Vec<(&str, String)> = Vec::new();
    for (name, value) in headers {
        fields.push((name, (*value).to_owned()));
    }
    signer.sign(method, target, &sha256(payload), &mut fields);
    fields.pop().unwrap().1
}

#[test]
fn the_published_examples_come_out() {
    let target =
        |path, parameters: &[(&str, &str)]| Target::new("https", EXAMPLE_HOST, path, parameters);
    let put_fields: Fields<'_> = &[
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ];
    let examples: [(&str, Target, Fields<'_>, &str, &str); 4] = [
        (
            "GET",
            target("/test.txt", &[]),
            &[("range", "bytes=0-9")],
            "",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            target("/test$file.text", &[]),
            put_fields,
            "Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            target("/", &[("lifecycle", "")]),
            &[],
            "",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            target("/", &[("prefix", "J"), ("max-keys", "2")]),
            &[],
            "",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    let credentials = example_credentials(None);
    for (method, target, fields, payload, expected) in examples {
        let field = authorization(
            &credentials,
            EXAMPLE_SECONDS,
            method,
            &target,
            fields,
            payload,
        );
        let (_, signature) = field.split_once("Signature=").unwrap();
        assert_eq!(signature, expected, "{}", target.url());
    }
}

#[test]
fn the_published_url_comes_out() {
    let credentials = example_credentials(None);
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
        time: UNIX_EPOCH + Duration::from_secs(EXAMPLE_SECONDS),
    };
    let target = Target::new("https", EXAMPLE_HOST, "/test.txt", &[]);
    let url = signer.presign(&target, &[], Duration::from_hours(24));
    assert_eq!(
        url,
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
         X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&\
         X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
         X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

/// Signs by botocore, at a given time.
const BOTOCORE: &str = r"
import datetime, json, sys, urllib.parse
import botocore.auth as auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
for case in json.load(sys.stdin):
    time = datetime.datetime.fromtimestamp(case['seconds'], datetime.timezone.utc)
    auth.get_current_datetime = lambda *a, **k: time.replace(tzinfo=None)
    keys = Credentials(case['access'], case['secret'], case['token'])
    request = AWSRequest(method=case['method'], url=case['url'], data=case['payload'],
        headers=dict(case['headers']))
    auth.S3SigV4Auth(keys, 's3', case['region']).add_auth(request)
    presigned = AWSRequest(method='GET', url=case['presign'])
    auth.S3SigV4QueryAuth(keys, 's3', case['region'], expires=case['expires']).add_auth(presigned)
    url = urllib.parse.urlsplit(presigned.url)
    print(json.dumps([request.headers['Authorization'],
        dict(urllib.parse.parse_qsl(url.query))['X-Amz-Signature']]))
";

/// A request and a URL for a name: what botocore is to sign, and both signatures made here.
fn case(number: usize, name: &str) -> (serde_json::Value, [String; 2]) {
    let seconds = 1_700_000_000 + 86_399 * number as u64;
    let token = number.is_multiple_of(2).then_some("a/token+with=odd,bytes");
    let credentials = example_credentials(token);
    let target = |parameters: &[(&str, &str)]| {
        let path = format!("/packages/{name}");
        Target::new("https", "store.example:9000", &path, parameters)
    };
    let listed = target(&[("prefix", name), ("list-type", "2"), ("delimiter", "/")]);
    let payload = format!("payload {name}");
    let fields = [("if-none-match", "*")];
    let field = authorization(&credentials, seconds, "PUT", &listed, &fields, &payload);
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
        time: UNIX_EPOCH + Duration::from_secs(seconds),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let disposition = [("response-content-disposition", disposition.as_str())];
    let url = signer.presign(&target(&[]), &disposition, Duration::from_mins(10));
    let (_, signature) = url.split_once("X-Amz-Signature=").unwrap();
    let given = serde_json::json!({
        "seconds": seconds, "access": credentials.access_key, "token": token,
        "secret": credentials.secret_key, "method": "PUT", "url": listed.url(),
        "payload": payload, "headers": [["If-None-Match", "*"]], "region": "us-east-1",
        "presign": target(&disposition).url(), "expires": 600,
    });
    (given, [field, signature.to_owned()])
}

#[test]
fn botocore_signs_alike() {
    let python = |code: &str| {
        let mut command = Command::new("python3");
        command.args(["-c", code]);
        command
    };
    let tried = python("import botocore").output();
    if !tried.is_ok_and(|output| output.status.success()) {
        let is_required = std::env::var_os("RELEASE_SERVER_REQUIRE_ALL").is_some();
        assert!(!is_required, "python3 has no botocore");
        eprintln!("skipped: python3 has no botocore");
        return;
    }
    let names = [&ODD_NAMES[..], &["a/b//c", ".."]].concat();
    let both = names
        .iter()
        .enumerate()
        .map(|(number, name)| case(number, name));
    let (cases, own): (Vec<_>, Vec<_>) = both.unzip();
    let mut input = tempfile::tempfile().unwrap();
    serde_json::to_writer(&mut input, &cases).unwrap();
    input.rewind().unwrap();
    let output = python(BOTOCORE).stdin(input).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<[String; 2]> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), names.len());
    for ((field, signature), (own, name)) in lines
        .into_iter()
        .map(|[field, signature]| (field, signature))
        .zip(own.iter().zip(names))
    {
        assert_eq!([field.replace(", ", ","), signature], *own, "{name}");
    }
}
