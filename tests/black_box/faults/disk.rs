//! Reads and locks that fail for a while. Writes and syncs that fail are in [`super::every_call`].

use super::over_without_proc;
use super::strace::{ONE_WORKER, Strace};
use crate::support::{Connection, TOKEN, TestServer, hex, until};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Makes every call of this name by one thread fail, until the returned guard is dropped.
fn failing(server: &TestServer, thread: &str, call: &str, error: &str) -> Strace {
    let inject = format!("inject={call}:error={error}");
    Strace::on_thread(server, thread, &["-e", &inject])
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn a_directory_that_cannot_be_read() {
    let server = TestServer::with(&[ONE_WORKER]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    // The maintenance thread would read the directory for the others.
    let threads = ["worker-0", "changes", "maintenance"];
    let faults = threads.map(|thread| failing(&server, thread, "getdents64", "EIO"));
    let words = "cannot list the directory: Input/output error";
    server.get("/readyz").assert_error(503, words);
    // Cached answers are served; answers that need the directory fail.
    std::fs::write(server.storage().join("b.zip"), "by hand").unwrap();
    until(|| Some(server.get("/latest")).filter(|answer| answer.status != 200))
        .assert_error(500, words);
    server.put("c.zip", b"1").assert_error(500, words);
    assert_eq!(server.get("/assets/a.zip").body, b"1");
    assert_eq!(server.get("/metrics").status, 200);
    server.wait_for_line(|line| {
        let path = line["path"].as_str().unwrap_or_default();
        line["level"] == "ERROR" && path.starts_with(server.storage().to_str().unwrap())
    });
    drop(faults);
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.put("c.zip", b"1").status, 201);
    assert_eq!(server.listed(), ["c.zip", "b.zip", "a.zip"]);
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn a_package_that_cannot_be_read() {
    // Smaller packages are sent without sendfile.
    let content = vec![b'x'; 64 * 1024];
    let server = TestServer::with(&[ONE_WORKER]);
    let fault = failing(&server, "maintenance", "read", "EIO");
    std::fs::write(server.storage().join("a.zip"), &content).unwrap();
    until(|| (server.listed() == ["a.zip"]).then_some(()));
    server.wait_for_line(|line| {
        let error = line["error"].as_str().unwrap_or_default();
        line["level"] == "ERROR" && error.contains("/data/a.zip: Input/output error")
    });
    server
        .get("/assets/a.zip.sha256")
        .assert_error(503, "still being computed");
    assert_eq!(server.get("/readyz").status, 200);
    drop(fault);
    let checksum =
        until(|| Some(server.get("/assets/a.zip.sha256")).filter(|answer| answer.status == 200));
    assert_eq!(checksum.text(), format!("{}  a.zip\n", hex(&content)));
    server.wait_for_line(|line| line["message"] == "the storage directory can be maintained again");

    // A download that has begun can only be truncated; no missing byte is invented.
    let fault = failing(&server, "worker-0", "sendfile", "EIO");
    let mut connection = server.connect();
    connection.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(connection.head().header("content-length"), "65536");
    connection.assert_closed();
    server.wait_for_line(|line| {
        let error = line["error"].as_str().unwrap_or_default();
        line["level"] == "ERROR"
            && line["path"] == "/assets/a.zip"
            && error.contains("Input/output error")
    });
    drop(fault);
    assert_eq!(server.get("/assets/a.zip").body, content);
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn quotas_and_locks() {
    let server = TestServer::with(&[ONE_WORKER]);
    let fault = failing(&server, "worker-0", "write", "EDQUOT");
    server
        .put("a.zip", b"1")
        .assert_error(507, "not enough space");
    server.wait_for_line(|line| {
        let error = line["error"].as_str().unwrap_or_default();
        line["level"] == "ERROR" && error.contains("quota")
    });
    drop(fault);
    let fault = failing(&server, "lock", "flock", "ENOLCK");
    server
        .put("a.zip", b"1")
        .assert_error(500, "cannot lock: No locks available");
    assert_eq!(server.stored(), [""; 0]);
    drop(fault);
    assert_eq!(server.put("a.zip", b"1").status, 201);
}

/// NFS cannot lock a directory that is open for reading, and supports neither unnamed files nor
/// renames that do not replace.
#[test]
#[ignore = "needs strace and a mount: scripts/faults.sh"]
fn the_limits_of_nfs_with_named_files() {
    let directory = tempfile::tempdir().unwrap();
    let storage = directory.path().join("data");
    let mut servers: Vec<_> = (0..2)
        .map(|_| over_without_proc(&storage, &[ONE_WORKER]))
        .collect();
    // Each attempt tries to lock the directory first, then the file.
    let no_directories = ["-e", "inject=flock:error=EBADF:when=1+2"];
    let limits: Vec<_> = servers
        .iter()
        .flat_map(|server| {
            let locks = Strace::on_thread(server, "lock", &no_directories);
            [locks, failing(server, "worker-0", "renameat2", "EINVAL")]
        })
        .collect();
    for round in 0..5 {
        let name = format!("{round}.zip");
        let barrier = Barrier::new(servers.len());
        let mut statuses: Vec<_> = std::thread::scope(|scope| {
            let rival = |server: &TestServer| {
                barrier.wait();
                server.put(&name, b"1").status
            };
            let rivals: Vec<_> = servers
                .iter()
                .map(|server| scope.spawn(move || rival(server)))
                .collect();
            rivals
                .into_iter()
                .map(|rival| rival.join().unwrap())
                .collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        let path = format!("/assets/{name}");
        let replaced = servers[0].write("PUT", &format!("{path}?overwrite=1"), "", b"2");
        assert_eq!(replaced.status, 200);
        assert_eq!(servers[1].get(&path).body, b"2");
        assert_eq!(servers[1].write("DELETE", &path, "", b"").status, 204);
        servers[0].get(&path).assert_error(404, "Not Found");
    }
    assert_eq!(servers[0].put("a.zip", b"1").status, 201);
    let expected = [".release-server.lock.sha256", "a.zip", "a.zip.sha256"];
    assert_eq!(servers[0].stored(), expected);
    // The other server removes the upload of a killed server, and leaves the upload of a live one.
    let halves = servers.iter().map(half_an_upload);
    let mut halves: Vec<_> = halves.collect();
    until(|| (servers[0].stored().len() == expected.len() + 2).then_some(()));
    drop(limits);
    drop(servers.remove(0));
    until(|| (servers[0].stored().len() == expected.len() + 1).then_some(()));
    halves[1].send(b"2");
    assert_eq!(halves[1].response("PUT").status, 201);
    assert_eq!(servers[0].get("/assets/half.zip").body, b"12");
}

/// Sends the first of two bytes.
fn half_an_upload(server: &TestServer) -> Connection {
    let mut connection = server.connect();
    let head = format!(
        "PUT /assets/half.zip HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
            Content-Length: 2\r\n\r\n1"
    );
    connection.send(head.as_bytes());
    connection
}

/// Half of the workers are left for everything that needs no disk.
#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn a_disk_that_hangs_takes_half_of_the_workers() {
    let server = TestServer::with(&[("WORKERS", "4")]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    assert_eq!(server.listed(), ["a.zip"]);
    let workers = ["worker-0", "worker-1", "worker-2", "worker-3"];
    let hanging = "inject=statx:delay_enter=5000000";
    let faults = workers.map(|worker| Strace::on_thread(&server, worker, &["-e", hanging]));
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(server.listed(), ["a.zip"]);
                answered.fetch_add(1, Ordering::Relaxed);
            });
        }
        until(|| (answered.load(Ordering::Relaxed) == 6).then_some(()));
        assert_eq!(server.get("/healthz").status, 200);
        server
            .get("/assets/a.zip")
            .assert_error(503, "disk does not answer");
        assert_eq!(answered.load(Ordering::Relaxed), 6, "two calls still hang");
    });
    drop(faults);
    assert_eq!(server.get("/assets/a.zip").body, b"1");
}

/// What has begun waits without a worker, and is completed when the disk answers again.
#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn downloads_and_uploads_that_hang_take_half_of_the_workers() {
    const CLIENTS: usize = 8;
    for (call, method, expected) in [("sendfile", "GET", 200), ("write", "PUT", 201)] {
        let server = TestServer::with(&[("WORKERS", "4")]);
        for number in 0..CLIENTS {
            let name = format!("{number}.zip");
            // Smaller packages are sent without sendfile.
            assert_eq!(server.put(&name, &vec![b'x'; 64 * 1024]).status, 201);
        }
        assert_eq!(server.listed().len(), CLIENTS);
        let workers = ["worker-0", "worker-1", "worker-2", "worker-3"];
        let hanging = format!("inject={call}:delay_enter=5000000");
        let faults = workers.map(|worker| Strace::on_thread(&server, worker, &["-e", &hanging]));
        let done = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (server, done) = (&server, &done);
                scope.spawn(move || {
                    let answer = if method == "GET" {
                        server.get(&format!("/assets/{number}.zip"))
                    } else {
                        server.put(&format!("new-{number}.zip"), b"content")
                    };
                    // What has not begun may be refused.
                    if answer.status == expected {
                        done.fetch_add(1, Ordering::Relaxed);
                    } else {
                        answer.assert_error(503, "disk does not answer");
                    }
                });
            }
            // Two hang, and one answers this.
            until(|| (server.metric("release_server_workers_busy") >= 3).then_some(()));
            for _ in 0..20 {
                assert_eq!(server.get("/healthz").status, 200);
            }
            assert_eq!(server.listed().len(), CLIENTS);
            assert_eq!(done.load(Ordering::Relaxed), 0, "{call} hangs");
            drop(faults);
        });
        assert!(done.into_inner() >= 2, "{call} goes on");
    }
}

#[test]
#[ignore = "needs strace: scripts/faults.sh"]
fn socket_diagnostics_that_are_denied() {
    let server = TestServer::with(&[ONE_WORKER]);
    assert_eq!(server.put("a.zip", &vec![b'x'; 50_000_000]).status, 201);
    let denial = "inject=socket:error=EAFNOSUPPORT";
    let strace = Strace::on_thread(&server, "worker-0", &["-e", "trace=socket", "-e", denial]);
    let begin = |_| {
        let mut connection = server.connect();
        connection.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: t\r\n\r\n");
        assert_eq!(connection.head().status, 200);
        connection
    };
    let downloads: Vec<Connection> = (0..4).map(begin).collect();
    server.wait_for_line(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("the kernel does not report acknowledged bytes")
    });
    let answering = "release_server_connections{state=\"answer\"}";
    until(|| (server.metric(answering) == 4).then_some(()));
    // The kernel was asked once, not once for each download.
    let asked = strace.finish();
    assert_eq!(
        asked
            .iter()
            .filter(|line| line.contains("AF_NETLINK"))
            .count(),
        1,
        "{asked:?}"
    );
    drop(downloads);
}
