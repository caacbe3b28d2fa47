//! Answers that other threads make while their connections are parked.

use crate::server::InProcess;
use crate::support::Connection;
use release_server::http::response::Response;
use release_server::http::service::Completion;
use release_server::server::DRAINED;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n";
const LATER: &[u8] = b"GET /later HTTP/1.1\r\nHost: t\r\n\r\n";

fn complete(completion: Completion, text: &str) {
    completion.complete(Response::new(200).body("text/plain", text.to_owned()));
}

/// Reads one answer with this text.
fn assert_answered(connection: &mut Connection, text: &str) {
    let response = connection.response("GET");
    assert_eq!((response.status, response.text().as_str()), (200, text));
}

#[test]
fn an_answer_made_later_leaves_its_connection_usable() {
    let server = InProcess::start(100);
    let mut connection = server.connect_and_wait();
    for text in ["first", "second"] {
        connection.send(LATER);
        let completion = server.next_pending();
        server.wait_until_active(1);
        complete(completion, text);
        assert_answered(&mut connection, text);
    }
    connection.send(REQUEST);
    assert_answered(&mut connection, "OK");
}

#[test]
fn an_answer_made_at_once_is_sent_at_once() {
    let server = InProcess::start(100);
    let mut connection = server.connect();
    for _ in 0..100 {
        connection.send(b"GET /later/now HTTP/1.1\r\nHost: t\r\n\r\n");
        assert_answered(&mut connection, "now");
    }
}

#[test]
fn requests_sent_ahead_are_answered_in_their_order() {
    let server = InProcess::start(100);
    let mut connection = server.connect();
    let put = b"PUT /later/body HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody";
    connection.send(&[LATER, REQUEST, put, REQUEST].concat());
    complete(server.next_pending(), "first");
    for text in ["first", "OK"] {
        assert_answered(&mut connection, text);
    }
    let completion = server.next_pending();
    // The body was received before the answer is made.
    assert!(server.has_received(4));
    complete(completion, "third");
    for text in ["third", "OK"] {
        assert_answered(&mut connection, text);
    }
}

#[test]
fn a_body_that_nobody_wants_is_skipped_after_an_answer_made_later() {
    let server = InProcess::start(100);
    let mut connection = server.connect();
    connection.send(b"POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: 8\r\n\r\nhalf");
    let completion = server.next_pending();
    // The deadline of the rest begins with the answer.
    server.advance(Duration::from_hours(1));
    complete(completion, "later");
    assert_answered(&mut connection, "later");
    connection.send(&[b"rest", REQUEST].concat());
    assert_answered(&mut connection, "OK");
}

#[test]
fn no_deadline_ends_a_connection_that_waits_for_the_server() {
    let server = InProcess::start(100);
    let mut connection = server.connect();
    connection.send(LATER);
    let completion = server.next_pending();
    server.advance(Duration::from_hours(1));
    assert_eq!(server.server.connections(), 1);
    complete(completion, "late");
    assert_answered(&mut connection, "late");
}

#[test]
fn a_client_that_left_costs_its_connection_only() {
    let server = InProcess::start(100);
    for _ in 0..3 {
        let mut leaving = server.connect();
        leaving.send(LATER);
        let completion = server.next_pending();
        server.wait_until_active(1);
        drop(leaving);
        // What left is not noticed before there is an answer to send.
        server.wait_until_quiet();
        assert_eq!(server.server.connections(), 1);
        complete(completion, "to nobody");
        server.wait_until_open(0);
    }
}

#[test]
fn a_connection_that_waits_for_the_server_is_not_evicted() {
    let server = InProcess::start(1);
    let mut storing = server.connect();
    storing.send(LATER);
    let completion = server.next_pending();
    server.wait_until_active(1);
    let mut waiting = server.connect();
    waiting.send(REQUEST);
    server.advance(Duration::from_secs(1));
    assert_eq!(server.server.active(), 1);
    complete(completion, "kept");
    assert_answered(&mut storing, "kept");
    drop(storing);
    assert_answered(&mut waiting, "OK");
}

#[test]
fn a_dropped_completion_and_a_panic_are_500() {
    let server = InProcess::start(100);
    let mut connection = server.connect();
    connection.send(LATER);
    drop(server.next_pending());
    connection
        .response("GET")
        .assert_error(500, "failed to handle");
    assert_eq!(server.metrics.panics.load(Ordering::SeqCst), 0);
    let mut connection = server.connect();
    connection.send(b"GET /panic/later HTTP/1.1\r\nHost: t\r\n\r\n");
    connection
        .response("GET")
        .assert_error(500, "failed to handle");
    assert_eq!(server.metrics.panics.load(Ordering::SeqCst), 1);
}

#[test]
fn a_shutdown_waits_for_an_answer_made_later() {
    let server = InProcess::start(100);
    let mut connection = server.connect();
    connection.send(LATER);
    let completion = server.next_pending();
    server.wait_until_active(1);
    let (mut events, report) = UnixStream::pair().unwrap();
    server.server.drain(report);
    server.wait_until_quiet();
    assert_eq!(server.server.connections(), 1);
    events.set_nonblocking(true).unwrap();
    let not_yet = events.read(&mut [0]).unwrap_err();
    assert_eq!(not_yet.kind(), ErrorKind::WouldBlock);
    events.set_nonblocking(false).unwrap();
    complete(completion, "last");
    let response = connection.response("GET");
    assert_eq!(
        (response.status, response.header("connection")),
        (200, "close")
    );
    drop(connection);
    let mut event = [0];
    events.read_exact(&mut event).unwrap();
    assert_eq!(event, [DRAINED]);
}

#[test]
fn a_server_that_stops_leaves_completions_without_effect() {
    let server = InProcess::start(100);
    let mut connection = server.connect();
    connection.send(LATER);
    let completion = server.next_pending();
    drop(server);
    connection.assert_closed();
    complete(completion, "too late");
}

#[test]
fn many_answers_at_once_reach_their_connections() {
    const CLIENTS: usize = 64;
    let server = InProcess::start(CLIENTS);
    let mut connections: Vec<Connection> = (0..CLIENTS).map(|_| server.connect()).collect();
    for connection in &mut connections {
        connection.send(LATER);
    }
    let mut completions: Vec<_> = (0..CLIENTS).map(|_| server.next_pending()).collect();
    std::thread::scope(|scope| {
        while !completions.is_empty() {
            let some = completions.split_off(completions.len() - CLIENTS / 4);
            scope.spawn(|| {
                for each in some {
                    complete(each, "one of many");
                }
            });
        }
    });
    for connection in &mut connections {
        assert_answered(connection, "one of many");
    }
}
