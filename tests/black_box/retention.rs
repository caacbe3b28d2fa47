//! Retention: at most so many packages, the oldest go, the one just published stays; versions stay or go whole; what is
//! pinned stays.

use crate::harness::TestServer;
use std::fs;
use std::time::{Duration, SystemTime};

#[test]
fn the_sixth_of_five_makes_the_oldest_go_before_the_answer() {
    let server = TestServer::with(&[("MAX_PACKAGES", "5")]);
    for number in 1..=5 {
        let answer = server.upload(&format!("{number}.zip"), b"x");
        assert_eq!(answer.json()["removed"], serde_json::json!([]));
    }
    let answer = server.upload("6.zip", b"x");
    assert_eq!(answer.json()["removed"], serde_json::json!(["1.zip"]));
    // No waiting: the sweep is over when the answer is there.
    let expected: Vec<String> = (2..=6)
        .flat_map(|number| [format!("{number}.zip"), format!("{number}.zip.sha256")])
        .collect();
    assert_eq!(server.stored(), expected);
    assert_eq!(
        server.listed(),
        ["6.zip", "5.zip", "4.zip", "3.zip", "2.zip"]
    );
    server.wait_for_line(|line| line["message"] == "swept" && line["package"] == "1.zip");
}

#[test]
fn a_replaced_package_is_counted_once() {
    let server = TestServer::with(&[("MAX_PACKAGES", "2")]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    assert_eq!(server.put("b.zip", b"1").status, 201);
    let answer = server.write("PUT", "/assets/a.zip?overwrite=1", "", b"2");
    assert_eq!(answer.json()["removed"], serde_json::json!([]));
    assert_eq!(server.listed(), ["a.zip", "b.zip"]);
}

#[test]
fn the_published_one_stays_whatever_the_dates_say() {
    let directory = tempfile::tempdir().unwrap();
    let future = SystemTime::now() + Duration::from_hours(24 * 365);
    for name in ["a.zip", "b.zip", "c.zip"] {
        let path = directory.path().join(name);
        fs::write(&path, name).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(future).unwrap();
    }
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "2")]);
    assert_eq!(
        server.listed(),
        ["a.zip", "b.zip", "c.zip"],
        "nothing goes without a publish"
    );
    let answer = server.put("new.zip", b"1");
    assert_eq!(
        answer.json()["removed"],
        serde_json::json!(["c.zip", "b.zip"])
    );
    assert_eq!(server.listed(), ["a.zip", "new.zip"]);
}

#[test]
fn a_limit_of_one_and_none() {
    let server = TestServer::with(&[("MAX_PACKAGES", "1")]);
    for name in ["a.zip", "b.zip", "c.zip"] {
        assert_eq!(server.put(name, b"1").status, 201);
        assert_eq!(server.listed(), [name]);
    }
    let unlimited = TestServer::over(server.storage(), &[("MAX_PACKAGES", "0")]);
    for number in 0..150 {
        assert_eq!(unlimited.put(&format!("{number}.zip"), b"1").status, 201);
    }
    assert_eq!(unlimited.listed().len(), 151);
}

#[test]
fn a_lowered_limit_takes_all_that_is_over_at_the_next_publish() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..1000 {
        let path = directory.path().join(format!("{number:04}.zip"));
        fs::write(path, "x").unwrap();
    }
    fs::create_dir(directory.path().join("folder")).unwrap();
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "10")]);
    let answer = server.put("new.zip", b"1");
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["removed"].as_array().unwrap().len(), 991);
    assert_eq!(server.listed().len(), 10);
    assert!(server.listed().contains(&"new.zip".to_owned()));
}

/// A release as it is published: one package after the other.
fn publish_release(server: &TestServer, version: &str, packages: usize) {
    for number in 0..packages {
        let name = format!("tool-{number}-{version}.zip");
        assert_eq!(server.put(&name, b"1").status, 201);
    }
}

/// How many packages of each version are listed.
fn counts(server: &TestServer, versions: &[&str]) -> Vec<usize> {
    let listed = server.listed();
    let of = |version: &&str| {
        let ending = format!("-{version}.zip");
        listed.iter().filter(|name| name.ends_with(&ending)).count()
    };
    versions.iter().map(of).collect()
}

#[test]
fn versions_go_whole_and_the_newest_stay_whole() {
    let limits = [("MAX_RELEASES", "2"), ("MAX_PACKAGES", "4")];
    let server = TestServer::with(&limits);
    let versions = ["v2.0.0", "v1.0.0", "v3.0.0"];
    publish_release(&server, "v2.0.0", 6);
    assert_eq!(counts(&server, &versions), [6, 0, 0], "no part of itself");
    // Age is the order of publishing: a fix of an old version is not swept by the next of its packages.
    publish_release(&server, "v1.0.0", 6);
    assert_eq!(counts(&server, &versions), [6, 6, 0]);
    let answer = server.put("tool-0-v3.0.0.zip", b"1");
    assert_eq!(answer.json()["removed"].as_array().unwrap().len(), 6);
    assert_eq!(counts(&server, &versions), [0, 6, 1]);
    // What belongs to no version is what max_packages is for.
    let answer = server.put("notes.txt", b"1");
    assert_eq!(answer.json()["removed"], serde_json::json!([]));
    let answer = server.put("more.txt", b"1");
    assert_eq!(answer.json()["removed"], serde_json::json!(["notes.txt"]));
    assert_eq!(counts(&server, &versions), [0, 6, 1]);
}

#[test]
fn what_is_pinned_is_never_swept() {
    let limits = [
        ("MAX_PACKAGES", "2"),
        ("MAX_RELEASES", "1"),
        ("PINNED", "*.md, tool-?-v1.0.0*"),
    ];
    let server = TestServer::with(&limits);
    server.put("README.md", b"1");
    publish_release(&server, "v1.0.0", 2);
    publish_release(&server, "v2.0.0", 2);
    publish_release(&server, "v3.0.0", 1);
    server.put("a.txt", b"1");
    server.put("b.txt", b"1");
    let mut listed = server.listed();
    listed.sort();
    let expected = [
        "README.md",
        "b.txt",
        "tool-0-v1.0.0.zip",
        "tool-0-v3.0.0.zip",
        "tool-1-v1.0.0.zip",
    ];
    assert_eq!(listed, expected);
}
