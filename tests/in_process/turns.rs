//! Fairness within a turn: with one worker, no client keeps another waiting by the amount that it
//! sends, receives or asks for.

use crate::server::InProcess;
use crate::support::{Connection, until};
use release_server::limits::{RECEIVE_TURN_BYTES, REQUESTS_PER_TURN_MAX, SEND_TURN_BYTES};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n";

/// Ends the busy client, also after a failed assertion.
struct EndOnDrop<'d>(&'d AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs a client that never pauses, and checks that another one is answered meanwhile.
fn beside(client: impl FnOnce(&mut Connection, &AtomicBool) + Send) {
    let server = InProcess::start(100);
    let mut busy = server.connect_and_wait();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = EndOnDrop(&done);
        let running = scope.spawn(|| client(&mut busy, &done));
        server.wait_until_active(1);
        for _ in 0..5 {
            let mut other = server.connect();
            other.send(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
            assert_eq!(other.response("GET").body, b"OK");
            assert!(!running.is_finished(), "the busy client has paused");
        }
    });
}

#[test]
fn a_client_that_never_stops_sending_a_body_leaves_turns_to_others() {
    beside(|connection, done| {
        let length = u64::MAX / 4;
        let head = format!("PUT /count HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n");
        connection.send(head.as_bytes());
        let bytes = vec![b'x'; RECEIVE_TURN_BYTES];
        while !done.load(Ordering::Relaxed) {
            connection.stream.write_all(&bytes).unwrap();
        }
    });
}

#[test]
fn a_client_that_never_stops_reading_leaves_turns_to_others() {
    beside(|connection, done| {
        let mut buffer = vec![0; SEND_TURN_BYTES];
        while !done.load(Ordering::Relaxed) {
            connection.send(b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
            let head = connection.head();
            let mut left: usize = head.header("content-length").parse().unwrap();
            left -= connection.some(left).len();
            while left > 0 && !done.load(Ordering::Relaxed) {
                let most = left.min(buffer.len());
                left -= connection.stream.read(&mut buffer[..most]).unwrap();
            }
        }
    });
}

#[test]
fn a_client_that_never_stops_asking_leaves_turns_to_others() {
    beside(|connection, done| {
        let mut reader = Connection::new(connection.stream.try_clone().unwrap());
        let requests = REQUEST.repeat(4 * REQUESTS_PER_TURN_MAX);
        while !done.load(Ordering::Relaxed) {
            connection.send(&requests);
            for _ in 0..4 * REQUESTS_PER_TURN_MAX {
                assert_eq!(reader.response("GET").status, 200);
            }
        }
    });
}

#[test]
fn a_request_that_arrives_as_the_drain_begins_is_answered() {
    let server = InProcess::start(100);
    let mut kept = server.connect_and_wait();
    kept.send(REQUEST);
    assert_eq!(kept.response("GET").status, 200);
    server.wait_until_quiet();
    let gate = server.gate.lock().unwrap();
    let mut first = server.connect_and_wait();
    first.send(b"GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    until(|| (!server.server.is_quiet()).then_some(()));
    // The only worker is busy: the request lies in the socket when the drain begins.
    kept.send(REQUEST);
    let (report, _receiver) = std::os::unix::net::UnixStream::pair().unwrap();
    server.server.drain(report);
    drop(gate);
    let answer = kept.response("GET");
    assert_eq!((answer.status, answer.header("connection")), (200, "close"));
    kept.assert_closed();
    assert_eq!(first.response("GET").status, 200);
}

#[test]
fn a_request_sent_ahead_of_the_drain_is_answered() {
    let server = InProcess::start(100);
    let mut client = server.connect_and_wait();
    // The first answer does not fit the socket, so it is in the middle when the drain begins.
    client.send(b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
    client.send(REQUEST);
    server.wait_until_active(1);
    server.wait_until_quiet();
    let (report, _receiver) = std::os::unix::net::UnixStream::pair().unwrap();
    server.server.drain(report);
    assert_eq!(client.response("GET").status, 200);
    let second = client.response("GET");
    assert_eq!((second.status, second.header("connection")), (200, "close"));
    client.assert_closed();
}
