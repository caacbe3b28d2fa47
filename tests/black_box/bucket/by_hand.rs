//! Objects that other programs put into the bucket, and what need not be asked about them again.

use super::Fleet;
use super::commands::location;
use crate::support::{hex, noise, until};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

fn put(fleet: &Fleet, key: &str, content: &[u8], more: &[&str]) {
    let file = file(content);
    let upload = ["--upload-file", file.path().to_str().unwrap()];
    fleet.by_hand("PUT", key, &[&upload[..], more].concat());
}

#[test]
fn an_object_without_metadata_is_served_and_its_checksum_computed() {
    let Some(fleet) = Fleet::start(2, &[]) else {
        return;
    };
    let content = noise(1, 200_000);
    put(&fleet, "hand.zip", &content, &[]);
    for server in &fleet.servers {
        let answer = server.get("/assets/hand.zip");
        assert_eq!(answer.status, 200, "it is looked up: {answer:?}");
        assert!(answer.body == content);
        assert_eq!(server.listed(), ["hand.zip"]);
        let line = format!("{}  hand.zip\n", hex(&content));
        until(|| (server.get("/assets/hand.zip.sha256").body == line.as_bytes()).then_some(()));
        let etag = server.get("/assets/hand.zip").header("etag").to_owned();
        assert_eq!(etag, format!("\"{}\"", hex(&content)));
    }
    // A server that starts lists it without being asked for it by name.
    let another = fleet.start_over("another");
    assert_eq!(another.listed(), ["hand.zip"]);
}

#[test]
fn what_servers_know_of_an_object_is_not_asked_again_at_a_start() {
    let Some(fleet) = Fleet::start(0, &[]) else {
        return;
    };
    let content = noise(1, 500_000);
    put(&fleet, "hand.zip", &content, &[]);
    let head = fleet.by_hand("HEAD", "hand.zip", &[]);
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.unwrap().1.trim().to_owned()
    };
    let modified = httpdate::parse_http_date(&field("last-modified")).unwrap();
    let seconds = modified.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let known = |etag: &str| {
        format!(
            "release-server known 1\n{etag}\t500000\t{seconds}\t{}\t{seconds}000000000\tplain\t\
             hand.zip\n",
            hex(&content)
        )
    };
    put(
        &fleet,
        ".release-server/known",
        known(&field("etag")).as_bytes(),
        &[],
    );
    let server = fleet.start_over("informed");
    let checksum = || server.get("/assets/hand.zip.sha256").text();
    assert_eq!(checksum(), format!("{}  hand.zip\n", hex(&content)));
    let heads = "release_server_store_requests_total{operation=\"head\",outcome=\"answered\"}";
    assert_eq!(server.metric(heads), 0);
    // Of another state of the object nothing is known.
    put(
        &fleet,
        ".release-server/known",
        known("\"other\"").as_bytes(),
        &[],
    );
    let server = fleet.start_over("misinformed");
    assert_eq!(server.listed(), ["hand.zip"]);
    assert_eq!(server.metric(heads), 1);
}

#[test]
fn what_is_not_a_package_is_passed_over() {
    let Some(fleet) = Fleet::start(0, &[]) else {
        return;
    };
    put(&fleet, "folder/a.zip", b"below", &[]);
    put(&fleet, "a.zip.sha256", b"a checksum", &[]);
    put(
        &fleet,
        "a.zip",
        b"content",
        &["--header", "x-amz-meta-sha256: odd"],
    );
    let server = fleet.start_over("one");
    assert_eq!(server.listed(), ["a.zip"]);
    until(|| (server.get("/assets/a.zip.sha256").status == 200).then_some(()));
    let checksum = server.get("/assets/a.zip.sha256").text();
    assert!(checksum.starts_with(&hex(b"content")), "{checksum}");
}

/// A gateway to a file system has no entity tag for a file that was copied into its folder.
#[test]
fn an_object_without_an_entity_tag_is_served() {
    let folder = std::env::var_os("TEST_BUCKET_FOLDER").map(PathBuf::from);
    let (Some(folder), Some(fleet)) = (folder, Fleet::start(0, &[])) else {
        return;
    };
    let location = location(&fleet);
    let folder = folder.join(location.trim_start_matches("s3://"));
    std::fs::create_dir_all(&folder).unwrap();
    let content = noise(1, 100_000);
    std::fs::write(folder.join("copied.zip"), &content).unwrap();
    let server = fleet.start_over("one");
    assert_eq!(server.listed(), ["copied.zip"]);
    assert!(server.get("/assets/copied.zip").body == content);
    let line = format!("{}  copied.zip\n", hex(&content));
    until(|| (server.get("/assets/copied.zip.sha256").body == line.as_bytes()).then_some(()));
    let answer = server.write("PUT", "/assets/copied.zip?overwrite=1", "", b"new");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(server.get("/assets/copied.zip").body, b"new");
    std::fs::write(folder.join("second.zip"), b"second").unwrap();
    assert_eq!(server.get("/assets/second.zip").body, b"second");
    let answer = server.write("DELETE", "/assets/second.zip", "", b"");
    assert_eq!(answer.status, 204, "{answer:?}");
    assert!(!folder.join("second.zip").exists());
}
