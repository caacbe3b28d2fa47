//! Retention: the oldest packages beyond the limit are removed, never the one just published;
//! versions stay or go whole; pinned packages stay.

use crate::support::TestServer;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Puts a package into the directory by hand.
fn place(storage: &Path, name: &str, modified: SystemTime) {
    let path = storage.join(name);
    fs::write(&path, "x").unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
}

#[test]
fn the_sixth_of_five_makes_the_oldest_go_before_the_answer() {
    let server = TestServer::with(&[("MAX_PACKAGES", "5")]);
    for number in 1..=5 {
        let answer = server.upload(&format!("{number}.zip"), b"x");
        assert_eq!(answer.json()["removed"], json!([]));
    }
    let answer = server.upload("6.zip", b"x");
    assert_eq!(answer.json()["removed"], json!(["1.zip"]));
    // The sweep ends before the answer, so nothing is awaited.
    let expected: Vec<String> = (2..=6)
        .flat_map(|number| [format!("{number}.zip"), format!("{number}.zip.sha256")])
        .collect();
    assert_eq!(server.stored(), expected);
    assert_eq!(
        server.listed(),
        ["6.zip", "5.zip", "4.zip", "3.zip", "2.zip"]
    );
    server.wait_for_line(|line| {
        line["message"] == "removed by retention" && line["package"] == "1.zip"
    });
}

#[test]
fn a_replaced_package_is_counted_once() {
    let server = TestServer::with(&[("MAX_PACKAGES", "2")]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    assert_eq!(server.put("b.zip", b"1").status, 201);
    let answer = server.write("PUT", "/assets/a.zip?overwrite=1", "", b"2");
    assert_eq!(answer.json()["removed"], json!([]));
    assert_eq!(server.listed(), ["a.zip", "b.zip"]);
}

#[test]
fn the_published_one_stays_whatever_the_dates_say() {
    let directory = tempfile::tempdir().unwrap();
    let future = SystemTime::now() + Duration::from_hours(24 * 365);
    for name in ["a.zip", "b.zip", "c.zip"] {
        place(directory.path(), name, future);
    }
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "2")]);
    assert_eq!(
        server.listed(),
        ["a.zip", "b.zip", "c.zip"],
        "nothing goes without a publish"
    );
    let answer = server.put("new.zip", b"1");
    assert_eq!(answer.json()["removed"], json!(["c.zip", "b.zip"]));
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
fn of_equal_times_the_last_names_go_first() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["d.zip", "b.zip", "f.zip", "a.zip", "e.zip", "c.zip"] {
        place(directory.path(), name, at(1000));
    }
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "4")]);
    let answer = server.put("new.zip", b"1");
    assert_eq!(answer.json()["removed"], json!(["f.zip", "e.zip", "d.zip"]));
    assert_eq!(server.listed(), ["new.zip", "a.zip", "b.zip", "c.zip"]);
}

#[test]
fn times_count_whatever_the_clock_did() {
    let directory = tempfile::tempdir().unwrap();
    let now = SystemTime::now();
    let hour = Duration::from_hours(1);
    place(
        directory.path(),
        "before-1970.zip",
        SystemTime::UNIX_EPOCH - hour,
    );
    place(directory.path(), "1970.zip", SystemTime::UNIX_EPOCH);
    place(directory.path(), "an-hour-ago.zip", now - hour);
    // Published before the clock was set back.
    place(directory.path(), "in-an-hour.zip", now + hour);
    place(directory.path(), "in-two.zip", now + 2 * hour);
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "4")]);
    let all = [
        "in-two.zip",
        "in-an-hour.zip",
        "an-hour-ago.zip",
        "1970.zip",
        "before-1970.zip",
    ];
    assert_eq!(server.listed(), all);
    let removed = |name: &str| server.put(name, b"1").json()["removed"].clone();
    assert_eq!(removed("a.zip"), json!(["before-1970.zip", "1970.zip"]));
    assert_eq!(removed("b.zip"), json!(["an-hour-ago.zip"]));
    // Older than packages with a future time, but just published.
    assert_eq!(removed("c.zip"), json!(["a.zip"]));
    assert_eq!(removed("d.zip"), json!(["b.zip"]));
    assert_eq!(
        server.listed(),
        ["in-two.zip", "in-an-hour.zip", "d.zip", "c.zip"]
    );
}

#[test]
fn a_lowered_limit_alone_removes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "8")]);
    for number in 1..=8 {
        assert_eq!(server.put(&format!("{number}.zip"), b"1").status, 201);
    }
    drop(server);
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "3")]);
    assert_eq!(server.listed().len(), 8);
    assert_eq!(server.put("8.zip", b"1").status, 409);
    assert_eq!(server.write("DELETE", "/assets/5.zip", "", b"").status, 204);
    assert_eq!(
        server.listed().len(),
        7,
        "neither a refusal nor a delete sweeps"
    );
    let answer = server.put("9.zip", b"1");
    let expected = json!(["1.zip", "2.zip", "3.zip", "4.zip", "6.zip"]);
    assert_eq!(answer.json()["removed"], expected);
    assert_eq!(server.listed(), ["9.zip", "8.zip", "7.zip"]);
}

#[test]
fn the_oldest_is_removed_though_its_permissions_were_changed() {
    let directory = tempfile::tempdir().unwrap();
    for (name, seconds) in [("a.zip", 1), ("b.zip", 2)] {
        place(directory.path(), name, at(seconds));
    }
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "2")]);
    assert_eq!(server.listed(), ["b.zip", "a.zip"]);
    let path = directory.path().join("a.zip");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let answer = server.put("new.zip", b"1");
    assert_eq!(answer.json()["removed"], json!(["a.zip"]));
}

#[test]
fn a_folder_in_a_sidecars_place_does_not_keep_its_package() {
    let directory = tempfile::tempdir().unwrap();
    for (name, seconds) in [("a.zip", 1), ("b.zip", 2)] {
        place(directory.path(), name, at(seconds));
    }
    fs::create_dir(directory.path().join("a.zip.sha256")).unwrap();
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "1")]);
    let answer = server.put("new.zip", b"1");
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["removed"], json!(["a.zip", "b.zip"]));
    assert!(directory.path().join("a.zip.sha256").is_dir(), "not ours");
    assert_eq!(server.listed(), ["new.zip"]);
}

#[test]
fn a_thousand_over_the_limit_go_at_once_and_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..1009).map(|number| format!("{number:04}.zip")).collect();
    for (name, seconds) in names.iter().zip(1..) {
        place(directory.path(), name, at(seconds));
    }
    fs::create_dir(directory.path().join("folder")).unwrap();
    let server = TestServer::over(directory.path(), &[("MAX_PACKAGES", "10")]);
    let answer = server.put("new.zip", b"1");
    assert_eq!(answer.status, 201);
    let (gone, stays) = names.split_at(1000);
    assert_eq!(answer.json()["removed"], json!(gone), "the oldest first");
    let mut expected: Vec<&str> = stays.iter().rev().map(String::as_str).collect();
    expected.insert(0, "new.zip");
    assert_eq!(server.listed(), expected);
    let is_swept = |line: &Value| line["message"] == "removed by retention";
    server.wait_for_line(|line| is_swept(line) && line["package"] == gone[999].as_str());
    let swept = server.log().into_iter().filter(is_swept);
    let swept: Vec<Value> = swept.map(|line| line["package"].clone()).collect();
    assert_eq!(json!(swept), json!(gone), "the log has them too");
}

/// A release as it is published: one package after another.
fn publish_release(server: &TestServer, version: &str, packages: usize) {
    for number in 0..packages {
        let name = format!("tool-{number}-{version}.zip");
        assert_eq!(server.put(&name, b"1").status, 201);
    }
}

/// The number of listed packages for each version.
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
    // Age is the order of publishing: publishing the next package of an old version does not sweep
    // the earlier ones.
    publish_release(&server, "v1.0.0", 6);
    assert_eq!(counts(&server, &versions), [6, 6, 0]);
    let answer = server.put("tool-0-v3.0.0.zip", b"1");
    assert_eq!(answer.json()["removed"].as_array().unwrap().len(), 6);
    assert_eq!(counts(&server, &versions), [0, 6, 1]);
    // max_packages applies to packages without a version.
    let answer = server.put("notes.txt", b"1");
    assert_eq!(answer.json()["removed"], serde_json::json!([]));
    let answer = server.put("more.txt", b"1");
    assert_eq!(answer.json()["removed"], serde_json::json!(["notes.txt"]));
    assert_eq!(counts(&server, &versions), [0, 6, 1]);
}

#[test]
fn pinned_packages_are_never_swept() {
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
