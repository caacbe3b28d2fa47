//! Retention: at most so many packages, the oldest go, the one just published stays.

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
