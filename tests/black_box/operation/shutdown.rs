//! Shutdown: the requests that are refused and finished, and the exit code.

use crate::support::{TOKEN, TestServer, noise, until};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn a_signal_ends_an_idle_server_with_zero() {
    for signal in ["TERM", "INT"] {
        let mut server = TestServer::start();
        let mut idle = server.connect();
        idle.send(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
        assert_eq!(idle.response("GET").status, 200);
        server.signal(signal);
        idle.assert_closed();
        assert_eq!(server.wait().code(), Some(0));
        server.wait_for_line(|line| line["message"] == "every connection is closed");
    }
}

#[test]
fn running_requests_are_finished() {
    let mut server = TestServer::start();
    let content = noise(10, 20_000_000);
    assert_eq!(server.put("a.zip", &content).status, 201);
    let mut download = server.connect();
    download.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: t\r\n\r\n");
    let head = download.head();
    let mut upload = server.connect();
    let request = format!(
        "PUT /assets/b.zip HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\
         Authorization: Bearer {TOKEN}\r\n\r\n"
    );
    upload.send(request.as_bytes());
    assert_eq!(upload.response("PUT").status, 100);
    server.signal("TERM");
    server.wait_for_line(|line| line["message"] == "shutting down");
    upload.send(b"0123456789");
    let published = upload.response("PUT");
    assert_eq!(published.status, 201);
    assert_eq!(published.header("connection"), "close");
    assert!(
        download.body_of(head, "GET").body == content,
        "the bytes differ"
    );
    drop((upload, download));
    assert_eq!(server.wait().code(), Some(0));
    assert!(server.stored().contains(&"b.zip".to_owned()));
}

#[test]
fn new_connections_are_served_for_the_delay() {
    let server = TestServer::with(&[("SHUTDOWN_DELAY", "10m")]);
    assert_eq!(server.get("/readyz").status, 200);
    server.signal("TERM");
    server.wait_for_line(|line| line["message"] == "shutting down");
    server.get("/readyz").assert_error(503, "shutting down");
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.put("a.zip", b"1").status, 201);
}

#[test]
fn new_connections_are_refused_after_the_delay() {
    let server = TestServer::with(&[("SHUTDOWN_DELAY", "1"), ("SHUTDOWN_GRACE", "10m")]);
    // As long as this one is open, the process has the port.
    let mut stalled = server.connect();
    stalled.send(b"GET /healthz HTTP/1.1\r\nHos");
    stalled.wait_until_taken();
    server.signal("TERM");
    until(|| TcpStream::connect(("127.0.0.1", server.port)).err());
    stalled.send(b"t: t\r\n\r\n");
    assert_eq!(stalled.response("GET").status, 200);
}

#[test]
fn the_grace_is_the_longest_that_a_request_is_waited_for() {
    let mut server = TestServer::with(&[("SHUTDOWN_GRACE", "1")]);
    let mut stalled = server.connect();
    stalled.send(b"GET /healthz HTTP/1.1\r\nHos");
    server.wait_for_line(|line| line["message"] == "listening");
    assert_eq!(server.get("/healthz").status, 200);
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    server.wait_for_line(|line| line["message"] == "the shutdown grace is over");
}

/// A connection that stalls uses up the delay and the grace, and no more than both.
#[test]
fn the_delay_and_the_grace_take_their_time_and_no_more() {
    let mut server = TestServer::with(&[("SHUTDOWN_DELAY", "1"), ("SHUTDOWN_GRACE", "6")]);
    let mut stalled = server.connect();
    stalled.send(b"GET /healthz HTTP/1.1\r\nHos");
    stalled.wait_until_taken();
    let began = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let taken = began.elapsed();
    // The default grace is 25 s.
    let bounds = Duration::from_secs(7)..Duration::from_secs(18);
    assert!(bounds.contains(&taken), "{taken:?}");
}

#[test]
fn an_idle_connection_is_closed_by_the_real_clock() {
    let server = TestServer::with(&[("IDLE_TIMEOUT", "1")]);
    let mut idle = server.connect();
    idle.send(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(idle.response("GET").status, 200);
    let began = Instant::now();
    idle.assert_closed();
    let taken = began.elapsed();
    let bounds = Duration::from_millis(900)..Duration::from_secs(20);
    assert!(bounds.contains(&taken), "{taken:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = TestServer::with(&[("SHUTDOWN_DELAY", "10m"), ("SHUTDOWN_GRACE", "10m")]);
    server.signal("TERM");
    server.wait_for_line(|line| line["message"] == "shutting down");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(1));
}

/// In a container the network ends with the process, and so do bytes that the kernel has accepted
/// and not sent.
#[test]
fn it_waits_for_clients_that_have_not_taken_their_answer() {
    let mut server = TestServer::with(&[("SHUTDOWN_GRACE", "1")]);
    // The answer fits the server's socket buffer, so all of it is sent, and exceeds what the
    // client's kernel takes unread.
    assert_eq!(server.put("a.zip", &noise(10, 500_000)).status, 201);
    let mut before = server.connect();
    before.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: t\r\nX-Request-Id: before\r\n\r\n");
    server.wait_for_line(|line| line["request_id"] == "before");
    let mut during = server.connect();
    during.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: t\r\nX-Request-Id: during\r\n");
    server.signal("TERM");
    server.wait_for_line(|line| line["message"] == "shutting down");
    during.send(b"\r\n");
    server.wait_for_line(|line| line["request_id"] == "during");
    assert_eq!(server.wait().code(), Some(0));
    let line = server.wait_for_line(|line| line["message"] == "the shutdown grace is over");
    assert_eq!(line["connections"], 2);
}
