//! Clients that stall: they cost a connection each and no worker. The real binary with two workers.

use crate::harness::{Connection, TOKEN, TestServer, noise, until};

/// Opens connections that each send these bytes and then do nothing.
fn stall(server: &TestServer, count: usize, bytes: &[u8]) -> Vec<Connection> {
    let open = |_| {
        let mut connection = server.connect();
        connection.send(bytes);
        connection
    };
    (0..count).map(open).collect()
}

/// Answers while all of them are open, or the test's patience ends.
fn assert_served(server: &TestServer, content: &[u8]) {
    assert_eq!(server.get("/healthz").body, b"OK");
    assert!(
        server.get("/assets/small.zip").body == content,
        "the bytes differ"
    );
    assert_eq!(server.get("/latest").status, 200);
}

#[test]
fn a_thousand_stalled_clients_keep_nobody_waiting() {
    let server = TestServer::with(&[("WORKERS", "2")]);
    let content = noise(6, 1_000_000);
    assert_eq!(server.put("small.zip", &content).status, 201);
    assert_eq!(server.put("large.zip", &noise(7, 50_000_000)).status, 201);
    let threads = server.threads();
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let upload = "PUT /assets/x.zip HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\n";
    let _stalled = [
        stall(&server, 64, b"GET /latest HTTP/1.1\r\nHos"),
        stall(&server, 64, format!("{upload}\r\n").as_bytes()),
        stall(&server, 64, format!("{upload}{token}\r\nhalf").as_bytes()),
        stall(
            &server,
            64,
            b"GET /assets/large.zip HTTP/1.1\r\nHost: t\r\n\r\n",
        ),
        stall(&server, 1000, b""),
    ];
    assert_served(&server, &content);
    assert_eq!(server.threads(), threads);
    assert_eq!(server.put("new.zip", b"1").status, 201);
}

#[test]
fn clients_that_vanish_leave_nothing_behind() {
    let mut server = TestServer::start();
    let content = noise(8, 1_000_000);
    assert_eq!(server.put("small.zip", &content).status, 201);
    assert_eq!(server.get("/healthz").status, 200);
    let before = until(|| Some(server.descriptors()));
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    for _ in 0..20 {
        let upload = format!(
            "PUT /assets/x.zip HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\n{token}\r\nhalf"
        );
        drop(stall(&server, 10, upload.as_bytes()));
        drop(stall(
            &server,
            10,
            b"GET /assets/small.zip HTTP/1.1\r\nHost: t\r\n\r\n",
        ));
        drop(stall(&server, 10, b"GET /latest HTTP/1.1\r\nHos"));
        drop(stall(&server, 10, b""));
    }
    until(|| (server.descriptors() <= before).then_some(()));
    assert_eq!(server.stored(), ["small.zip", "small.zip.sha256"]);
    server.assert_alive();
}

#[test]
fn out_of_descriptors_it_pauses_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let limited = "ulimit -n 64; exec \"$0\"";
    let mut server = TestServer::by_shell(limited, directory.path(), &[]);
    let warning = server.wait_for_line(|line| {
        line["message"] == "the limit on open files allows fewer connections"
    });
    assert_eq!(
        (&warning["descriptors"], &warning["wanted"]),
        (&64.into(), &8192.into())
    );
    assert_eq!(server.put("small.zip", &noise(9, 1_000_000)).status, 201);
    let before = server.descriptors();
    for _ in 0..3 {
        // Idle ones go for new ones; those in the middle of a request are kept, and new ones wait.
        let idle = stall(&server, 200, b"");
        assert_eq!(server.get("/healthz").body, b"OK");
        let busy = stall(&server, 200, b"GET /assets/small.zip HTTP/1.1\r\nHos");
        assert!(server.descriptors() <= 64);
        drop((idle, busy));
        until(|| (server.descriptors() <= before + 1).then_some(()));
        server.assert_alive();
    }
}
