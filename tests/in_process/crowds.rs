//! More clients than connections: a client that waits for a worker keeps its connection, and a slow
//! reader loses it in time.

use crate::server::InProcess;
use crate::support::{Connection, until};
use release_server::limits::{PACE_WINDOW, STALL_TIME_MAX};
use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn a_request_that_waits_for_a_worker_makes_no_room() {
    let server = InProcess::start(4);
    let gate = server.gate.lock().unwrap();
    let mut first = server.connect();
    first.send(b"GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    until(|| (!server.server.is_quiet()).then_some(()));
    // The only worker is busy: when it accepts the crowd, none of the requests has been read.
    let begin = |_| {
        let mut connection = server.connect();
        connection.send(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        connection
    };
    let crowd: Vec<Connection> = (0..20).map(begin).collect();
    drop(gate);
    assert_eq!(first.response("GET").body, b"OK");
    for mut connection in crowd {
        assert_eq!(connection.response("GET").body, b"OK");
        assert!(server.server.connections() <= 4);
    }
}

/// The given number of clients read a byte a second of an endless answer, with room for four
/// connections; returns how long a new client waits for its own answer.
fn wait_beside_slow_readers(readers: usize) -> Duration {
    const SECOND: Duration = Duration::from_secs(1);
    let server = InProcess::start(4);
    let begin = |_| {
        let mut connection = server.connect();
        connection.send(b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
        connection
    };
    let mut slow: Vec<Connection> = (0..readers).map(begin).collect();
    server.wait_until_active(readers.min(4));
    let mut fresh = server.connect();
    fresh.send(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    fresh.stream.set_nonblocking(true).unwrap();
    let mut waited = Duration::ZERO;
    if readers < 4 {
        until(|| (fresh.stream.peek(&mut [0]).is_ok()).then_some(()));
    }
    while fresh.stream.peek(&mut [0]).is_err() {
        for connection in &mut slow {
            connection.stream.set_nonblocking(true).unwrap();
            // Clients in the backlog, and those that were closed, receive nothing.
            let _ = connection.stream.read(&mut [0]);
        }
        server.advance(SECOND);
        waited += SECOND;
        assert!(waited < Duration::from_mins(10), "never answered");
    }
    fresh.stream.set_nonblocking(false).unwrap();
    assert_eq!(fresh.response("GET").body, b"OK");
    drop((fresh, slow));
    server.wait_until_open(0);
    assert_eq!(server.metrics.connections_open.load(Ordering::SeqCst), 0);
    waited
}

#[test]
fn slow_readers_block_no_client_for_long() {
    assert_eq!(wait_beside_slow_readers(3), Duration::ZERO);
    // At the limit, the first reader below the pace is closed for the new client.
    let given_up = PACE_WINDOW + STALL_TIME_MAX;
    let waited = wait_beside_slow_readers(4);
    assert!(!waited.is_zero() && waited <= given_up, "{waited:?}");
    // Over the limit, earlier clients come first.
    let waited = wait_beside_slow_readers(8);
    assert!(waited <= 2 * given_up, "{waited:?}");
}
