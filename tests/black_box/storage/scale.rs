//! Many packages: the cost of a change does not grow with the directory, except for the length of
//! the list itself.
//!
//! The log names the thread that read the directory. Readers and publishers never read it; the
//! maintenance thread may.

use crate::support::{TestServer, until};
use serde_json::Value;
use std::fs;
use std::path::Path;

const PACKAGES: usize = 300;

fn fill(storage: &Path) {
    for number in 0..PACKAGES {
        fs::write(storage.join(format!("{number:04}.zip")), "x").unwrap();
    }
}

fn start(storage: &Path) -> TestServer {
    let settings = [
        ("MAX_PACKAGES", "0"),
        ("LOG_LEVEL", "info,release_server::storage=debug"),
    ];
    TestServer::over(storage, &settings)
}

/// How often a thread other than maintenance read the directory, up to the answer to `last`.
fn readings(server: &TestServer, last: &str) -> usize {
    server.wait_for_line(|line| line["path"] == last);
    let is_reading = |line: &&Value| {
        line["message"] == "the directory was read" && line["thread"] != "maintenance"
    };
    server.log().iter().filter(is_reading).count()
}

fn all_have_checksums(server: &TestServer) -> Option<()> {
    let list = server.get("/packages?format=json").json();
    let list = list.as_array().unwrap();
    list.iter()
        .all(|package| package["sha256"].is_string())
        .then_some(())
}

#[test]
fn changes_of_this_process_need_no_reading_of_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let server = start(directory.path());
    until(|| all_have_checksums(&server));
    server.get("/packages?first");
    let before = readings(&server, "/packages");
    for number in 0..30 {
        let name = format!("new-{number}.zip");
        assert_eq!(server.put(&name, b"1").status, 201);
        assert_eq!(server.listed()[0], name);
        if number % 3 == 0 {
            let path = format!("/assets/{name}");
            assert_eq!(server.write("DELETE", &path, "", b"").status, 204);
            assert_ne!(server.listed()[0], name);
        }
    }
    server.get("/healthz");
    assert_eq!(readings(&server, "/healthz"), before);
    // Changes by other processes are still seen.
    fs::write(directory.path().join("by-hand.zip"), "x").unwrap();
    until(|| {
        server
            .listed()
            .contains(&"by-hand.zip".to_owned())
            .then_some(())
    });
}

#[test]
fn no_request_waits_for_missing_checksums() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let server = start(directory.path());
    assert_eq!(server.listed().len(), PACKAGES);
    // At most the first reading, by the first request.
    until(|| all_have_checksums(&server));
    server.get("/healthz");
    assert!(readings(&server, "/healthz") <= 1);
    let sidecars = server.stored().len() - PACKAGES;
    assert_eq!(sidecars, PACKAGES);
}

#[test]
fn a_change_within_the_same_tick_of_the_clock_is_seen_nevertheless() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(directory.path());
    let folder = fs::File::open(directory.path()).unwrap();
    assert_eq!(server.put("a.zip", b"1").status, 201);
    assert_eq!(server.listed(), ["a.zip"]);
    // As if the change had happened within the clock's tick: the directory's time is unchanged.
    let modified = folder.metadata().unwrap().modified().unwrap();
    fs::write(directory.path().join("b.zip"), "x").unwrap();
    folder.set_modified(modified).unwrap();
    until(|| (server.listed().len() == 2).then_some(()));
}
