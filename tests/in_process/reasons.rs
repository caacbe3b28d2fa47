//! Why the server closes a connection: each reason is counted, and the log and metrics name it.

use crate::server::{IDLE_TIME_MAX, InProcess, wait_until_still};
use crate::support::Connection;
use release_server::limits::{HEAD_TIME_MAX, PACE_WINDOW, STALL_CHECK_INTERVAL, STALL_TIME_MAX};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use std::io::Read;
use std::time::Duration;

/// The count of connections closed for a reason.
fn closed(server: &InProcess, reason: &str) -> u64 {
    let text = server.metrics.render(None);
    let sample = format!("release_server_connections_closed_total{{reason=\"{reason}\"}} ");
    let count = text.lines().find_map(|line| line.strip_prefix(&sample));
    count
        .unwrap_or_else(|| panic!("no {reason}"))
        .parse()
        .unwrap()
}

/// A server with a connection that has sent this.
fn sent(bytes: &[u8]) -> (InProcess, Connection) {
    let server = InProcess::start(100);
    let mut connection = server.connect_and_wait();
    connection.send(bytes);
    connection.wait_until_taken();
    server.wait_until_quiet();
    (server, connection)
}

#[test]
fn each_deadline_has_its_reason() {
    let put = b"PUT /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n";
    for (bytes, time, reason) in [
        (&b""[..], IDLE_TIME_MAX, "idle"),
        (b"GET / HT", HEAD_TIME_MAX, "head"),
        (put, STALL_TIME_MAX, "stalled"),
    ] {
        let (server, _connection) = sent(bytes);
        assert_eq!(closed(&server, reason), 0);
        server.advance(time);
        assert_eq!(closed(&server, reason), 1, "{reason}");
        let others = ["idle", "head", "stalled", "slow", "evicted", "memory"];
        let all: u64 = others.iter().map(|reason| closed(&server, reason)).sum();
        assert_eq!(all, 1, "{reason}");
    }
}

#[test]
fn a_reader_below_the_least_pace_is_closed_as_slow_and_not_before_the_window() {
    let (server, mut connection) = sent(b"");
    // The kernel acknowledges in steps of half a window, which must be less than the least pace.
    set_socket_recv_buffer_size(&connection.stream, 16 * 1024).unwrap();
    connection.send(b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    let mut waited = Duration::ZERO;
    // Two thirds of the least pace.
    let mut buffer = vec![0; 2 * 1024];
    while server.server.connections() > 0 {
        connection.stream.read_exact(&mut buffer).unwrap();
        wait_until_still(&connection, 3);
        server.advance(STALL_CHECK_INTERVAL);
        waited += STALL_CHECK_INTERVAL;
        assert!(waited < Duration::from_mins(10), "never closed");
    }
    assert!(waited >= PACE_WINDOW, "closed after {waited:?}");
    let (slow, stalled) = (closed(&server, "slow"), closed(&server, "stalled"));
    assert_eq!((slow, stalled), (1, 0), "after {waited:?}");
}
