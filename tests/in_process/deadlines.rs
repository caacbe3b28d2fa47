//! Deadlines: each bound of docs/contract.md, section 7, just before it and just after it.

use crate::server::{BIG_BYTES, IDLE_TIME_MAX, InProcess, wait_until_still};
use crate::support::{Connection, until};
use release_server::limits::{
    HEAD_TIME_MAX, LINGER_TIME_MAX, PACE_WINDOW, STALL_CHECK_INTERVAL, STALL_TIME_MAX,
};
use std::io::Read;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n";
const PUT: &[u8] = b"PUT /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n";

#[test]
fn an_idle_connection_is_closed_after_its_time() {
    let server = InProcess::start(100);
    let mut silent = server.connect_and_wait();
    let mut kept = server.connect_and_wait();
    kept.send(REQUEST);
    assert_eq!(kept.response("GET").status, 200);
    server.advance(IDLE_TIME_MAX.saturating_sub(SECOND));
    kept.send(REQUEST);
    assert_eq!(kept.response("GET").status, 200, "still open");
    server.advance(SECOND);
    silent.assert_closed();
    server.advance(IDLE_TIME_MAX.saturating_sub(2 * SECOND));
    kept.send(REQUEST);
    assert_eq!(kept.response("GET").status, 200, "each request counts anew");
    server.advance(IDLE_TIME_MAX);
    kept.assert_closed();
    server.wait_until_open(0);
}

#[test]
fn a_head_has_its_time_from_its_first_byte() {
    let server = InProcess::start(100);
    let mut quick = server.connect_and_wait();
    let mut slow = server.connect_and_wait();
    quick.send(&REQUEST[..10]);
    slow.send(&REQUEST[..10]);
    server.wait_until_active(2);
    server.advance(HEAD_TIME_MAX.saturating_sub(SECOND));
    quick.send(&REQUEST[10..]);
    assert_eq!(quick.response("GET").status, 200);
    slow.send(&REQUEST[10..20]);
    server.advance(SECOND);
    slow.response("GET").assert_error(408, "in time");
    slow.assert_closed();
    server.wait_until_open(1);
}

#[test]
fn a_body_without_progress_ends_the_connection() {
    let server = InProcess::start(100);
    let mut connection = server.connect_and_wait();
    connection.send(PUT);
    connection.send(b"some bytes");
    server.wait_until_received(10);
    server.advance(STALL_TIME_MAX.saturating_sub(SECOND));
    // Enough for the average over a minute, too.
    connection.send(&vec![b'x'; 200_000]);
    server.wait_until_received(200_010);
    server.advance(STALL_TIME_MAX.saturating_sub(SECOND));
    assert_eq!(server.server.connections(), 1, "progress counts anew");
    server.advance(SECOND);
    connection.response("PUT").assert_error(408, "in time");
    connection.assert_closed();
    server.wait_until_open(0);
}

/// Sends this much of a body every five seconds; returns the number of rounds that the server
/// accepts.
fn rounds_at_pace(server: &InProcess, bytes: usize, rounds: usize) -> usize {
    let mut connection = server.connect_and_wait();
    connection.send(PUT);
    for round in 0..rounds {
        connection.send(&vec![b'x'; bytes]);
        let received = (bytes * (round + 1)) as u64;
        until(|| (server.server.connections() == 0 || server.has_received(received)).then_some(()));
        if server.server.connections() == 0 {
            connection.response("PUT").assert_error(408, "in time");
            return round;
        }
        server.advance(5 * SECOND);
    }
    rounds
}

#[test]
fn a_body_below_the_least_pace_ends_after_the_window() {
    let server = InProcess::start(100);
    let window_rounds = usize::try_from(PACE_WINDOW.as_secs() / 5).unwrap();
    let rounds = rounds_at_pace(&server, 4 * 1024, 40);
    assert!(
        (window_rounds..window_rounds + 3).contains(&rounds),
        "{rounds}"
    );
}

#[test]
fn a_body_at_the_least_pace_is_kept() {
    let server = InProcess::start(100);
    assert_eq!(rounds_at_pace(&server, 5 * 1024, 40), 40);
}

#[test]
fn an_answer_that_is_not_read_ends_the_connection() {
    let server = InProcess::start(100);
    let mut connection = server.connect_and_wait();
    fix_window(&connection);
    connection.send(b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(connection.head().status, 200);
    wait_until_still(&connection, 20);
    server.wait_until_quiet();
    let mut waited = Duration::ZERO;
    while server.server.connections() > 0 {
        // The kernel may still pass on the rest of its window, which is progress.
        assert!(waited <= 3 * STALL_TIME_MAX, "still open");
        server.advance(STALL_CHECK_INTERVAL);
        waited += STALL_CHECK_INTERVAL;
    }
    assert!(waited >= STALL_TIME_MAX, "closed after {waited:?}");
}

/// Limits how much the client's kernel takes by itself: a window of megabytes reopens only when a
/// sixteenth of it is free.
pub fn fix_window(connection: &Connection) {
    let bytes = 128 * 1024;
    rustix::net::sockopt::set_socket_recv_buffer_size(&connection.stream, bytes).unwrap();
}

/// Reads this much of an answer every three seconds, for the given time or until the server closes;
/// returns the time.
fn read_at_pace(server: &InProcess, bytes: usize, time: Duration) -> Duration {
    let mut connection = server.connect_and_wait();
    fix_window(&connection);
    connection.send(b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    let mut buffer = vec![0; bytes];
    let mut waited = Duration::ZERO;
    while waited < time {
        connection.stream.read_exact(&mut buffer).unwrap();
        wait_until_still(&connection, 3);
        server.advance(STALL_CHECK_INTERVAL);
        waited += STALL_CHECK_INTERVAL;
        if server.server.connections() == 0 {
            break;
        }
    }
    waited
}

#[test]
fn an_honest_slow_reader_is_served_to_the_end() {
    // 32 KiB/s over loopback, which acknowledges in steps of up to 64 KiB, while the send buffer of
    // megabytes turns writable at most once a minute.
    let server = InProcess::start(100);
    let time = Duration::from_mins(5);
    assert_eq!(read_at_pace(&server, 96 * 1024, time), time);
    const { assert!(BIG_BYTES > 96 * 1024 * 100, "the answer outlasts the test") };
}

#[test]
fn a_reader_below_the_least_pace_ends_the_connection() {
    let server = InProcess::start(100);
    let waited = read_at_pace(&server, 1, Duration::from_mins(5));
    assert!(
        waited <= PACE_WINDOW + STALL_TIME_MAX,
        "closed after {waited:?}"
    );
}

#[test]
fn a_closing_connection_waits_for_its_client_but_not_for_ever() {
    let server = InProcess::start(100);
    let refuse = |connection: &mut Connection| {
        connection.send(b"nonsense\r\n\r\n");
        assert_eq!(connection.response("GET").status, 400);
    };
    let mut prompt = server.connect_and_wait();
    refuse(&mut prompt);
    prompt.assert_closed();
    drop(prompt);
    server.wait_until_open(0);
    let mut stubborn = server.connect_and_wait();
    refuse(&mut stubborn);
    server.advance(LINGER_TIME_MAX.saturating_sub(SECOND));
    stubborn.send(&vec![b'x'; 100_000]);
    assert_eq!(server.server.connections(), 1);
    server.advance(SECOND);
    server.wait_until_open(0);
}

#[test]
fn the_longest_idle_connection_is_closed_for_a_new_one() {
    let server = InProcess::start(3);
    let mut connections: Vec<Connection> = Vec::new();
    for _ in 0..3 {
        connections.push(server.connect_and_wait());
        server.advance(SECOND);
    }
    let mut first = connections.remove(0);
    first.send(REQUEST);
    assert_eq!(first.response("GET").status, 200);
    server.advance(SECOND);
    let mut newest = server.connect_and_wait();
    newest.send(REQUEST);
    assert_eq!(newest.response("GET").status, 200);
    connections[0].assert_closed();
    for connection in [&mut first, &mut connections[1], &mut newest] {
        connection.send(REQUEST);
        assert_eq!(connection.response("GET").status, 200);
    }
    server.wait_until_open(3);
}

#[test]
fn without_an_idle_connection_new_ones_wait() {
    let server = InProcess::start(2);
    let mut busy: Vec<Connection> = (0..2).map(|_| server.connect_and_wait()).collect();
    for connection in &mut busy {
        connection.send(PUT);
        connection.send(b"x");
    }
    server.wait_until_received(2);
    let mut waiting = server.connect();
    waiting.send(REQUEST);
    server.advance(SECOND);
    assert_eq!(server.server.connections(), 2);
    drop(busy.pop());
    assert_eq!(waiting.response("GET").status, 200);
}

#[test]
fn a_panic_is_a_500_and_the_pool_keeps_its_size() {
    let server = InProcess::start(100);
    for _ in 0..10 {
        for path in ["/panic", "/panic/feed", "/panic/finish"] {
            let mut connection = server.connect();
            let head = format!("PUT {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\nx");
            connection.send(head.as_bytes());
            connection
                .response("PUT")
                .assert_error(500, "failed to handle this request");
            connection.finish_sending();
            connection.assert_closed();
        }
    }
    // The only worker answers, so it is alive.
    let mut connection = server.connect();
    connection.send(REQUEST);
    assert_eq!(connection.response("GET").status, 200);
    let panics = server
        .metrics
        .panics
        .load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(panics, 30);
}
