//! Fairness: a client is not ended for what the server itself delayed, nor for what it sent or
//! acknowledged before; accepting does not wait for requests.

use crate::deadlines::fix_window;
use crate::server::{InProcess, wait_until_still};
use crate::support::{Connection, until};
use release_server::limits::{
    CROWDED_STALL_TIME_MAX, PACE_WINDOW, STALL_CHECK_INTERVAL, STALL_TIME_MAX,
};
use release_server::server::descriptors;
use release_server::server::sock_diag::SockDiag;
use std::io::Read;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n";
const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nHost: t\r\n\r\n";
const BIG: &[u8] = b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n";
const PUT: &[u8] = b"PUT /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n";

#[test]
fn nothing_is_ended_before_its_socket_was_asked() {
    let server = InProcess::start(100);
    let mut uploading = server.connect_and_wait();
    uploading.send(PUT);
    uploading.send(&[b'x'; 500]);
    server.wait_until_received(500);
    let mut idle = server.connect_and_wait();
    let mut in_head = server.connect_and_wait();
    in_head.send(&REQUEST[..10]);
    server.wait_until_active(2);
    let mut reading = server.connect_and_wait();
    reading.send(BIG);
    assert_eq!(reading.head().status, 200);
    server.wait_until_active(3);
    // The only worker is busy for two minutes, while every client does its part.
    let gate = server.gate.lock().unwrap();
    let mut waiting = server.connect_and_wait();
    waiting.send(WAIT);
    until(|| (!server.server.is_quiet()).then_some(()));
    uploading.send(&[b'x'; 500]);
    idle.send(REQUEST);
    in_head.send(&REQUEST[10..]);
    while reading.stream.peek(&mut [0]).is_ok() {
        reading.some(1 << 20);
        reading.stream.set_nonblocking(true).unwrap();
        wait_until_still(&reading, 3);
    }
    reading.stream.set_nonblocking(false).unwrap();
    server.clock.advance(2 * PACE_WINDOW);
    drop(gate);
    for connection in [&mut waiting, &mut uploading, &mut idle, &mut in_head] {
        assert_eq!(connection.response("GET").status, 200);
    }
    assert!(!reading.some(1 << 20).is_empty());
    server.wait_until_quiet();
    assert_eq!(server.server.connections(), 5);
}

/// Reads this much of an answer every three seconds, for so long; whether it went on all the time.
fn reads_on(server: &InProcess, connection: &mut Connection, bytes: usize, time: Duration) -> bool {
    let mut buffer = vec![0; bytes];
    let mut waited = Duration::ZERO;
    while waited < time && server.server.connections() > 0 {
        connection.stream.read_exact(&mut buffer).unwrap();
        wait_until_still(connection, 3);
        server.advance(STALL_CHECK_INTERVAL);
        waited += STALL_CHECK_INTERVAL;
    }
    waited >= time
}

#[test]
fn the_pace_of_a_second_answer_is_that_of_its_own_bytes() {
    let server = InProcess::start(100);
    let mut connection = server.connect_and_wait();
    fix_window(&connection);
    connection.send(&[BIG, BIG].concat());
    // Until the first answer is in the socket to its end, and the second one begins.
    let answered = || server.metrics.render(None).contains("status=\"2xx\"} 1");
    while !answered() {
        connection.some(1 << 16);
    }
    assert!(reads_on(
        &server,
        &mut connection,
        96 * 1024,
        Duration::from_mins(4)
    ));
}

#[test]
fn transfers_may_pause_for_less_time_while_connections_are_scarce() {
    let server = InProcess::start(4);
    let mut paused: Vec<Connection> = (0..2).map(|_| server.connect_and_wait()).collect();
    for connection in &mut paused {
        connection.send(PUT);
        connection.send(b"x");
    }
    server.wait_until_received(2);
    server.advance(STALL_TIME_MAX.saturating_sub(SECOND));
    assert_eq!(server.server.connections(), 2);
    let _third = server.connect_and_wait();
    for _ in 0..CROWDED_STALL_TIME_MAX.as_secs() {
        if server.server.connections() == 1 {
            break;
        }
        server.advance(SECOND);
    }
    server.wait_until_open(1);
    for mut connection in paused {
        connection.response("PUT").assert_error(408, "in time");
    }
}

/// How long a client that does not read keeps its connection, where the kernel does not report what
/// clients acknowledge.
fn time_of_a_silent_reader(max_connections: usize) -> Duration {
    let server = InProcess::with(max_connections, 1, SockDiag::unsupported());
    let mut silent = server.connect_and_wait();
    silent.send(BIG);
    assert_eq!(silent.head().status, 200);
    wait_until_still(&silent, 20);
    server.wait_until_quiet();
    let mut waited = Duration::ZERO;
    while server.server.connections() > 0 {
        server.advance(STALL_CHECK_INTERVAL);
        waited += STALL_CHECK_INTERVAL;
        assert!(waited <= STALL_TIME_MAX + 2 * STALL_CHECK_INTERVAL);
    }
    waited
}

#[test]
fn without_the_kernels_diagnostics_the_socket_shows_progress() {
    // Also where connections are scarce: the socket shows the progress of an honest client late.
    for max_connections in [100, 1] {
        let waited = time_of_a_silent_reader(max_connections);
        assert!(waited >= STALL_TIME_MAX, "closed after {waited:?}");
    }
    // An honest client, at 16 KiB/s.
    let server = InProcess::with(100, 1, SockDiag::unsupported());
    let mut slow = server.connect_and_wait();
    slow.send(BIG);
    assert_eq!(slow.head().status, 200);
    assert!(reads_on(
        &server,
        &mut slow,
        48 * 1024,
        Duration::from_mins(4)
    ));
}

#[test]
fn accepting_does_not_wait_for_requests() {
    for _ in 0..200 {
        let server = InProcess::with(100, 4, SockDiag::system());
        let gate = server.gate.lock().unwrap();
        let mut waiting: Vec<Connection> = (0..3).map(|_| server.connect()).collect();
        for connection in &mut waiting {
            connection.send(WAIT);
        }
        // One worker is left.
        let mut connection = server.connect();
        connection.send(REQUEST);
        assert_eq!(connection.response("GET").status, 200);
        drop(gate);
        for mut connection in waiting {
            assert_eq!(connection.response("GET").status, 200);
        }
    }
}

#[test]
fn connections_leave_descriptors_to_the_workers() {
    for (limit, workers, connections) in [
        (None, 1024, 8192),
        (Some(65_536), 4, 8192),
        (Some(1024), 4, 490),
        (Some(1024), 64, 400),
        (Some(256), 1024, 1),
    ] {
        let within = descriptors::connections_within(limit, workers, 8192);
        assert_eq!(within, connections, "{limit:?}, {workers} workers");
    }
}

#[test]
fn workers_in_long_turns_are_relieved() {
    let processors = std::thread::available_parallelism().unwrap().get();
    let server = InProcess::with(100, processors + 2, SockDiag::system());
    let gate = server.gate.lock().unwrap();
    let mut waiting: Vec<_> = (0..=processors)
        .map(|_| server.connect_and_wait())
        .collect();
    for connection in &mut waiting {
        connection.send(WAIT);
    }
    let mut other = server.connect_and_wait();
    other.send(REQUEST);
    assert_eq!(other.response("GET").status, 200);
    drop(gate);
    for connection in &mut waiting {
        assert_eq!(connection.response("GET").status, 200);
    }
}
