//! Calls to the disk that do not return: what needs the disk waits for them without a worker.

use crate::server::InProcess;
use release_server::limits::{
    DISK_HANG_TIME_MIN, DISK_RETRY_INTERVAL, HANGING_DISK_RETRY_INTERVAL, STALL_TIME_MAX,
};

const HEALTH: &[u8] = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n";
const DISK: &[u8] = b"GET /disk HTTP/1.1\r\nHost: t\r\n\r\n";
const PUT: &[u8] = b"PUT /count HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbo";

#[test]
fn a_request_waits_for_the_disk_and_leaves_the_worker_to_others() {
    let server = InProcess::start(100);
    let inside = server.disk.enter().unwrap();
    let mut waiting = server.connect_and_wait();
    waiting.send(DISK);
    server.wait_until_active(1);
    let mut other = server.connect();
    for _ in 0..10 {
        server.advance(DISK_RETRY_INTERVAL);
        other.send(HEALTH);
        assert_eq!(other.response("GET").status, 200);
    }
    drop(inside);
    server.advance(DISK_RETRY_INTERVAL);
    assert_eq!(waiting.response("GET").status, 200);
    waiting.send(DISK);
    assert_eq!(waiting.response("GET").status, 200);
}

#[test]
fn a_disk_that_hangs_for_long_refuses_at_once() {
    let server = InProcess::start(100);
    let inside = server.disk.enter().unwrap();
    let mut waiting = server.connect_and_wait();
    waiting.send(DISK);
    server.wait_until_active(1);
    server.advance(DISK_HANG_TIME_MIN);
    assert_eq!(waiting.response("GET").status, 503);
    waiting.send(DISK);
    assert_eq!(waiting.response("GET").status, 503);
    drop(inside);
    waiting.send(DISK);
    assert_eq!(waiting.response("GET").status, 200);
}

/// Its client is not slow meanwhile, however long that takes.
#[test]
fn an_upload_waits_for_the_disk_for_as_long_as_it_takes() {
    let server = InProcess::start(100);
    let mut upload = server.connect_and_wait();
    upload.send(PUT);
    server.wait_until_received(2);
    let inside = server.disk.enter().unwrap();
    upload.send(b"dy");
    server.wait_until_active(1);
    for _ in 0..4 {
        server.advance(STALL_TIME_MAX);
        let mut other = server.connect();
        other.send(HEALTH);
        assert_eq!(other.response("GET").status, 200);
    }
    assert!(!server.has_received(4));
    drop(inside);
    server.advance(HANGING_DISK_RETRY_INTERVAL);
    assert_eq!(upload.response("PUT").status, 200);
}
