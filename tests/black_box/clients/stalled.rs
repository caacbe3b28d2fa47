//! Clients that stall occupy a connection each and no worker. The real binary with two workers.

use super::stall;
use crate::support::{TOKEN, TestServer, noise};

/// Asserts that other requests are answered while all stalled connections are open.
fn assert_served(server: &TestServer, content: &[u8]) {
    assert_eq!(server.get("/healthz").body, b"OK\n");
    assert!(
        server.get("/assets/small.zip").body == content,
        "the bytes differ"
    );
    assert_eq!(server.get("/latest").status, 200);
}

#[test]
fn a_thousand_stalled_clients_delay_no_other() {
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
