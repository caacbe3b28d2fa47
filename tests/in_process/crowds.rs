//! More clients than places: those that wait for a worker keep their place, and slow readers give theirs up in time.

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
    // The one worker is busy: when it accepts them, none has been looked at.
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

/// So many clients read a byte a second of an answer without end, where there is room for four; how long a fresh one waits
/// for its own answer meanwhile.
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
            // Nothing comes to those who wait for their turn, nor to those whose time was over.
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
fn slow_readers_keep_nobody_out_for_long() {
    assert_eq!(wait_beside_slow_readers(3), Duration::ZERO);
    // At the limit the first who is too slow makes room.
    let given_up = PACE_WINDOW + STALL_TIME_MAX;
    let waited = wait_beside_slow_readers(4);
    assert!(!waited.is_zero() && waited <= given_up, "{waited:?}");
    // Over it, others are before the fresh one.
    let waited = wait_beside_slow_readers(8);
    assert!(waited <= 2 * given_up, "{waited:?}");
}
