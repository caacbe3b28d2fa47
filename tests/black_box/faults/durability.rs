//! What an answer guarantees: the order of the calls before it, and the effect of a failed sync.

use super::strace::{Call, ONE_WORKER, Strace};
use crate::support::{Response, TestServer, until};
use std::time::{Duration, SystemTime};

const REPLACE: &str = "/assets/a.zip?overwrite=1";

/// The storage calls for a request, with the answer.
fn trace(server: &TestServer, request: impl FnOnce() -> Response) -> Vec<String> {
    let calls = "trace=write,fsync,linkat,renameat,unlinkat,utimensat,sendto";
    let strace = Strace::on_request_threads(server, &["-y", "-s", "12", "-e", calls]);
    request();
    strace.finish()
}

/// Asserts that lines with these words occur in this order.
fn assert_order(lines: &[String], words: &[&[&str]]) {
    let mut rest = lines.iter();
    for words in words {
        let is_it = |line: &String| words.iter().all(|word| line.contains(word));
        let found = rest.any(is_it);
        assert!(found, "{words:?} does not come where it should: {lines:#?}");
    }
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn file_and_directory_are_synced_before_the_answer() {
    let server = TestServer::with(&[ONE_WORKER]);
    let published = trace(&server, || server.put("a.zip", b"1"));
    assert_order(
        &published,
        &[
            &["write(", "\"1\""],
            &["utimensat("],
            &["fsync(", "(deleted)"],
            &["write(", "(deleted)", "\"6b86b273ff34"],
            &["linkat(", "\"a.zip\""],
            &["fsync(", "/data>"],
            &["linkat(", "\"a.zip.sha256\""],
            &["sendto(", "HTTP/1.1 201"],
        ],
    );
    let syncs = |lines: &[String]| lines.iter().filter(|line| line.contains("fsync(")).count();
    assert_eq!(syncs(&published), 2, "{published:#?}");
    let replaced = trace(&server, || server.write("PUT", REPLACE, "", b"2"));
    assert_order(
        &replaced,
        &[
            &["write(", "\"2\""],
            &["fsync(", "(deleted)"],
            &["unlinkat(", "\"a.zip.sha256\""],
            &["renameat(", "\"a.zip\""],
            &["fsync(", "/data>"],
            &["linkat(", "\"a.zip.sha256\""],
            &["sendto(", "HTTP/1.1 200"],
        ],
    );
    let deleted = trace(&server, || server.write("DELETE", "/assets/a.zip", "", b""));
    assert_order(
        &deleted,
        &[
            &["unlinkat(", "\"a.zip\""],
            &["fsync(", "/data>"],
            &["sendto(", "HTTP/1.1 204"],
        ],
    );
}

/// A checksum file that is not older than the new package would count beside it after a loss of
/// power that undoes its removal.
#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn a_checksum_that_would_count_is_removed_durably() {
    let server = TestServer::with(&[ONE_WORKER]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    let sidecar = std::fs::File::open(server.storage().join("a.zip.sha256")).unwrap();
    let ahead = SystemTime::now() + Duration::from_hours(1);
    sidecar.set_modified(ahead).unwrap();
    let replaced = trace(&server, || server.write("PUT", REPLACE, "", b"2"));
    assert_order(
        &replaced,
        &[
            &["unlinkat(", "\"a.zip.sha256\""],
            &["fsync(", "/data>"],
            &["renameat(", "\"a.zip\""],
            &["fsync(", "/data>"],
            &["linkat(", "\"a.zip.sha256\""],
            &["sendto(", "HTTP/1.1 200"],
        ],
    );
}

/// Makes a thread's first sync fail during a request.
fn with_failing_sync(
    server: &TestServer,
    thread: &'static str,
    request: impl FnOnce() -> Response,
) -> Response {
    let sync = Call {
        thread,
        name: "fsync".to_owned(),
        number: 1,
    };
    let _strace = sync.fail(server, "EIO");
    request()
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn a_sync_that_fails_is_an_error_and_publishes_nothing() {
    let server = TestServer::with(&[ONE_WORKER]);
    for (thread, what) in [
        ("sync-0", "cannot sync"),
        ("changes", "cannot sync the directory"),
    ] {
        let put = || server.put("new.zip", b"1");
        with_failing_sync(&server, thread, put).assert_error(500, what);
        assert_eq!(server.get("/assets/new.zip").status, 404);
        assert_eq!(server.stored(), [""; 0]);
        let upload = || server.upload("new.zip", b"1");
        with_failing_sync(&server, thread, upload).assert_error(500, what);
        assert_eq!(server.stored(), [""; 0]);
    }
    assert_eq!(server.put("a.zip", b"old").status, 201);
    let replace = || server.write("PUT", REPLACE, "", b"new");
    with_failing_sync(&server, "sync-0", replace).assert_error(500, "cannot sync:");
    assert_eq!(server.get("/assets/a.zip").body, b"old");
    // The new file is in place by then, complete.
    with_failing_sync(&server, "changes", replace).assert_error(500, "cannot sync the directory");
    assert_eq!(server.get("/assets/a.zip").body, b"new");
    assert_eq!(server.listed(), ["a.zip"]);
    let delete = || server.write("DELETE", "/assets/a.zip", "", b"");
    with_failing_sync(&server, "changes", delete).assert_error(500, "cannot sync the directory");
    until(|| (server.stored() == [""; 0]).then_some(()));
    server.wait_for_line(|line| {
        line["level"] == "ERROR" && line["path"] == server.storage().to_str().unwrap()
    });
    assert_eq!(server.put("a.zip", b"again").status, 201);
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn the_parent_of_a_new_directory_is_synced() {
    let parent = tempfile::tempdir().unwrap();
    let storage = parent.path().join("above/data");
    let record = parent.path().join("strace");
    let mut start = std::process::Command::new("strace");
    start
        .args(["-D", "-f", "-y", "-e", "trace=mkdir,mkdirat,fsync", "-o"])
        .arg(&record)
        .arg(env!("CARGO_BIN_EXE_release-server"))
        .env_clear()
        .envs([("CONFIG_PATH", "/dev/null"), ("AUTH_TOKEN", "x")])
        .envs([("HOST", "127.0.0.1"), ("PORT", "0")])
        .env("STORAGE_PATH", &storage);
    let mut server = TestServer::spawn(start, &storage);
    server.assert_alive();
    let calls = until(|| {
        let text = std::fs::read_to_string(&record).ok()?;
        text.contains("/above>)").then_some(text)
    });
    let lines: Vec<String> = calls.lines().map(str::to_owned).collect();
    let above = format!("{}>)", parent.path().display());
    assert_order(
        &lines,
        &[
            &["mkdir", "/above\""],
            &["fsync(", &above],
            &["mkdir", "/above/data\""],
            &["fsync(", "/above>)"],
        ],
    );
}
