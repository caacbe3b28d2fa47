//! Every operation against versitygw, and through connections that toxiproxy breaks.

use crate::versitygw::{Toxiproxy, Versitygw};
use crate::{ODD_NAMES, bucket_at};
use release_server::checksum::Sha256;
use release_server::client::{Body, Client, Method, Options, Request};
use release_server::s3::{Bucket, Condition, Content, Get, Probe, Put, S3ErrorKind};
use serde_json::json;
use sha2::Digest;
use std::fs::File;
use std::io::{Read, Write};

fn file_of(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}

fn put_file(
    bucket: &Bucket,
    key: &str,
    content: &[u8],
    condition: Condition<'_>,
) -> Result<String, S3ErrorKind> {
    let file = file_of(content);
    let put = Put {
        content: Content::File {
            file: &file,
            size: content.len() as u64,
            sha256: Sha256::new(sha2::Sha256::digest(content)),
        },
        condition,
        metadata: &[("upload", key_safe(key))],
    };
    bucket.put(key, &put).map_err(|error| error.kind)
}

fn key_safe(key: &str) -> &str {
    if key.is_ascii() { key } else { "odd" }
}

fn content_of(bucket: &Bucket, key: &str) -> Vec<u8> {
    let mut content = Vec::new();
    let mut got = bucket.get(key, &Get::default()).unwrap();
    got.body.read_to_end(&mut content).unwrap();
    assert_eq!(got.head.size, content.len() as u64);
    content
}

fn keys_of(bucket: &Bucket) -> Vec<String> {
    let mut keys = Vec::new();
    bucket.list(&mut |object| keys.push(object.key)).unwrap();
    keys
}

#[test]
fn objects_are_put_listed_read_and_deleted() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let bucket = bucket_at(&store.url(), "team/a");
    let content: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let etag = put_file(&bucket, "x.zip", &content, Condition::IsNew).unwrap();
    let again = put_file(&bucket, "x.zip", b"other", Condition::IsNew);
    assert_eq!(again, Err(S3ErrorKind::PreconditionFailed));
    assert_eq!(content_of(&bucket, "x.zip"), content);

    let head = bucket.head("x.zip").unwrap();
    assert_eq!((head.size, &head.etag), (2_800_000, &etag));
    assert_eq!(head.metadata("upload"), Some("x.zip"));
    let mut listed = Vec::new();
    bucket.list(&mut |object| listed.push(object)).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].etag, listed[0].size), (&etag, 2_800_000));
    assert_eq!(
        bucket.head("y.zip").unwrap_err().kind,
        S3ErrorKind::NotFound
    );
    assert_eq!(
        bucket.get("y.zip", &Get::default()).unwrap_err().kind,
        S3ErrorKind::NotFound
    );

    let with = |if_match, if_none_match, range| {
        let get = Get {
            if_match,
            if_none_match,
            range,
        };
        bucket.get("x.zip", &get)
    };
    let mut part = with(Some(&etag), None, Some((4, 12))).unwrap();
    let mut bytes = Vec::new();
    part.body.read_to_end(&mut bytes).unwrap();
    assert_eq!(
        (bytes.as_slice(), part.head.size),
        (&content[4..12], 2_800_000)
    );
    let unchanged = with(None, Some(&etag), None).unwrap_err();
    assert_eq!(unchanged.kind, S3ErrorKind::NotModified);
    let changed = with(Some("\"other\""), None, None).unwrap_err();
    assert_eq!(changed.kind, S3ErrorKind::PreconditionFailed);

    let replaced = put_file(&bucket, "x.zip", b"new", Condition::Matches(&etag)).unwrap();
    let stale = bucket.delete("x.zip", Some(&etag)).unwrap_err();
    assert_eq!(stale.kind, S3ErrorKind::PreconditionFailed);
    bucket.delete("x.zip", Some(&replaced)).unwrap();
    bucket.delete("x.zip", None).unwrap();
    assert_eq!(keys_of(&bucket), [""; 0]);
}

#[test]
fn odd_names_and_lower_folders_are_kept_apart() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let bucket = bucket_at(&store.url(), "team");
    let mut names = [&ODD_NAMES[..], &["\"double\"", "back\\slash"]].concat();
    for name in &names {
        put_file(&bucket, name, name.as_bytes(), Condition::IsNew).unwrap();
    }
    put_file(
        &bucket,
        ".release-server/probe/x",
        b"below",
        Condition::None,
    )
    .unwrap();
    put_file(&bucket_at(&store.url(), ""), "beside", b"", Condition::None).unwrap();
    names.sort_unstable();
    let mut keys = keys_of(&bucket);
    keys.sort();
    assert_eq!(keys, names);
    for name in names {
        assert_eq!(content_of(&bucket, name), name.as_bytes());
    }
}

#[test]
fn a_list_has_all_its_pages() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    for number in 0..2_500 {
        std::fs::write(store.objects().join(format!("{number:05}.zip")), b"x").unwrap();
    }
    let keys = keys_of(&bucket_at(&store.url(), ""));
    assert_eq!(keys.len(), 2_500);
    assert!(keys.is_sorted());
}

#[test]
fn the_probe_finds_what_versitygw_does_and_leaves_nothing() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let bucket = bucket_at(&store.url(), "team");
    let found = Probe::run(&bucket).unwrap();
    assert!(found.creates_are_atomic && found.deletes_are_conditional);
    let probes = bucket_at(&store.url(), "team/.release-server/probe");
    assert_eq!(keys_of(&probes), [""; 0]);
}

#[test]
fn anyone_gets_a_presigned_url_as_an_attachment() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let bucket = bucket_at(&store.url(), "team");
    put_file(&bucket, "a b.zip", b"hello", Condition::None).unwrap();
    let disposition = "attachment; filename=\"a b.zip\"";
    let url = bucket.presign("a b.zip", disposition).unwrap();
    let get = |url: &str| {
        let client = Client::new(&Options::default()).unwrap();
        client.send(&Request {
            method: Method::Get,
            url,
            headers: &[],
            body: Body::Empty,
        })
    };
    let response = get(&url).unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.header("content-disposition"), Some(disposition));
    assert_eq!(response.read_to_end(100).unwrap(), b"hello");
    assert_eq!(get(&url.replace("a%20b", "other")).unwrap().status(), 403);
}

#[test]
fn wrong_keys_and_missing_buckets_are_named() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let with = |name: &str, secret: &str| {
        let location = format!("s3://{name}");
        let settings = crate::settings(&[
            ("BUCKET", &location),
            ("BUCKET_ENDPOINT", &store.url()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ]);
        let bucket = Bucket::new(&settings, std::sync::Arc::default()).unwrap();
        bucket.list(&mut |_| {}).unwrap_err()
    };
    let error = with("packages", "wrong");
    assert_eq!(error.kind, S3ErrorKind::Refused, "{error}");
    let error = with("no-such-bucket", "a-secret-of-the-tests");
    assert_eq!(error.kind, S3ErrorKind::NoSuchBucket, "{error}");
    let file = file_of(b"hello");
    let other_digest = Put {
        content: Content::File {
            file: &file,
            size: 5,
            sha256: Sha256::new([0; 32]),
        },
        condition: Condition::None,
        metadata: &[],
    };
    let error = bucket_at(&store.url(), "")
        .put("x", &other_digest)
        .unwrap_err();
    assert_eq!(error.kind, S3ErrorKind::DigestMismatch, "{error}");
}

#[test]
fn a_put_whose_answer_is_lost_is_found_by_its_metadata() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let Some(proxy) = Toxiproxy::before(&store) else {
        return;
    };
    let (direct, broken) = (bucket_at(&store.url(), ""), bucket_at(&proxy.url(), ""));
    // What the store sends is lost, and then the connection is reset.
    proxy.add("reset_peer", "downstream", &json!({ "timeout": 0 }));
    let lost = put_file(&broken, "x.zip", &vec![7; 1 << 20], Condition::IsNew);
    let is_expected = [S3ErrorKind::Unavailable, S3ErrorKind::PreconditionFailed];
    assert!(is_expected.contains(&lost.unwrap_err()));
    proxy.heal();
    match direct.head("x.zip") {
        Ok(head) => assert_eq!(head.metadata("upload"), Some("x.zip")),
        Err(error) => assert_eq!(error.kind, S3ErrorKind::NotFound, "{error}"),
    }
}

#[test]
fn slow_cut_and_reset_connections_are_mended_or_reported() {
    let Some(store) = Versitygw::start() else {
        return;
    };
    let Some(proxy) = Toxiproxy::before(&store) else {
        return;
    };
    let bucket = bucket_at(&proxy.url(), "");
    let content: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
    put_file(&bucket, "x.zip", &content, Condition::IsNew).unwrap();

    proxy.add(
        "latency",
        "downstream",
        &json!({ "latency": 100, "jitter": 50 }),
    );
    assert_eq!(content_of(&bucket, "x.zip"), content);
    proxy.heal();
    // In slices of a few bytes, heads included.
    proxy.add(
        "slicer",
        "downstream",
        &json!({ "average_size": 1000, "size_variation": 900 }),
    );
    assert_eq!(content_of(&bucket, "x.zip"), content);
    proxy.heal();
    // The connection ends in the middle of the body: the reader says so.
    proxy.add("limit_data", "downstream", &json!({ "bytes": 100_000 }));
    let mut got = bucket.get("x.zip", &Get::default()).unwrap();
    assert!(got.body.read_to_end(&mut Vec::new()).is_err());
    proxy.heal();
    // In the middle of an upload.
    proxy.add("limit_data", "upstream", &json!({ "bytes": 100_000 }));
    let cut = put_file(&bucket, "y.zip", &content, Condition::IsNew);
    assert_eq!(cut, Err(S3ErrorKind::Unavailable));
    proxy.heal();
    assert_eq!(
        bucket.head("y.zip").unwrap_err().kind,
        S3ErrorKind::NotFound
    );
    put_file(&bucket, "y.zip", &content, Condition::IsNew).unwrap();
    assert_eq!(content_of(&bucket, "y.zip"), content);
}

#[test]
fn a_stopped_store_is_unavailable_until_it_is_back() {
    let Some(mut store) = Versitygw::start() else {
        return;
    };
    let bucket = bucket_at(&store.url(), "");
    put_file(&bucket, "x.zip", b"hello", Condition::IsNew).unwrap();
    store.stop();
    let error = bucket.head("x.zip").unwrap_err();
    assert_eq!(error.kind, S3ErrorKind::Unavailable, "{error}");
    store.resume();
    assert_eq!(content_of(&bucket, "x.zip"), b"hello");
}
