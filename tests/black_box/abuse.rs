//! Clients that leave in every way there is, floods, and crowds: accepting goes on, and what they cost is given back.
//!
//! Invariant: after each, the server holds as many connections, descriptors and threads as before, its memory has grown by
//! no more than `GROWTH_KIB_MAX`, and nothing was stored that was not published.
//!
//! A client that vanishes without a FIN, as behind a cut cable, looks to the server like one that neither reads nor
//! sends: loopback can show no more of it. What ends those is in `deadlines.rs`, on a clock moved by hand.

use crate::harness::{Connection, TOKEN, TestServer, noise, until};
use crate::in_process::InProcess;
use crate::stalled::stall;
use release_server::limits::{PACE_WINDOW, STALL_TIME_MAX};
use rustix::net::sockopt::set_socket_linger;
use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What the buffers and stacks of workers that have seen everything take more than those of idle ones.
const GROWTH_KIB_MAX: u64 = 4 * 1024;

const DOWNLOAD: &[u8] = b"GET /assets/small.zip HTTP/1.1\r\nHost: t\r\n\r\n";

/// A server with a package of a megabyte, and what it holds while nobody bothers it.
struct Rested {
    server: TestServer,
    descriptors: usize,
    threads: usize,
    resident_kib: u64,
}

impl Rested {
    fn over(server: TestServer) -> Self {
        assert_eq!(server.put("small.zip", &noise(8, 1_000_000)).status, 201);
        wait_until_alone(&server);
        Self {
            descriptors: server.descriptors(),
            threads: server.threads(),
            resident_kib: server.resident_kib(),
            server,
        }
    }

    /// Waits until the clients are gone, and looks for what they left behind.
    fn assert_regained(&mut self) {
        let server = &mut self.server;
        server.assert_alive();
        wait_until_alone(server);
        until(|| (server.descriptors() <= self.descriptors).then_some(()));
        assert_eq!(server.threads(), self.threads);
        let growth = server.resident_kib().saturating_sub(self.resident_kib);
        assert!(growth <= GROWTH_KIB_MAX, "memory grew by {growth} KiB");
        assert_eq!(server.stored(), ["small.zip", "small.zip.sha256"]);
    }
}

/// Waits until the connection that asks is the only one.
fn wait_until_alone(server: &TestServer) {
    until(|| (server.metric("release_server_connections_open") == 1).then_some(()));
}

/// What clients have sent when they leave.
fn beginnings() -> Vec<Vec<u8>> {
    let put = "PUT /assets/x.zip HTTP/1.1\r\nHost: t\r\n";
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let requests = [
        String::new(),
        "GET /latest HTTP/1.1\r\nHos".to_owned(),
        "GET /latest HTTP/1.1\r\nHost: t\r\n\r\n".repeat(3),
        format!("{put}Content-Length: 2000\r\n\r\n"),
        format!("{put}{token}Content-Length: 2000\r\n\r\nhalf"),
        format!("{put}{token}Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n"),
        format!("{put}{token}Transfer-Encoding: chunked\r\n\r\n7d0\r\nhalf"),
        String::from_utf8(DOWNLOAD.to_vec()).unwrap(),
        "nonsense\r\n\r\n".to_owned(),
    ];
    requests.into_iter().map(String::into_bytes).collect()
}

#[test]
fn clients_that_leave_in_the_middle_leave_nothing_behind() {
    let mut rested = Rested::over(TestServer::start());
    for _ in 0..20 {
        for beginning in beginnings() {
            drop(stall(&rested.server, 10, &beginning));
            let answered = stall(&rested.server, 10, &beginning);
            answered.iter().for_each(Connection::wait_until_taken);
            drop(answered);
        }
    }
    rested.assert_regained();
}

#[test]
fn a_flood_of_resets_keeps_nobody_out() {
    let mut rested = Rested::over(TestServer::with(&[("MAX_CONNECTIONS", "100")]));
    let beginnings = beginnings();
    for number in 0..5000 {
        let mut connection = rested.server.connect();
        connection.send(&beginnings[number % beginnings.len()]);
        // Closing now resets the connection.
        set_socket_linger(&connection.stream, Some(Duration::ZERO)).unwrap();
        drop(connection);
        if number % 500 == 0 {
            assert_eq!(rested.server.get("/healthz").body, b"OK");
        }
    }
    rested.assert_regained();
}

#[test]
fn half_closed_clients_get_their_answers() {
    let mut rested = Rested::over(TestServer::start());
    let wanted: [&[u16]; 9] = [
        &[],
        &[],
        &[200; 3],
        &[401],
        &[400],
        &[100, 400],
        &[400],
        &[200],
        &[400],
    ];
    for _ in 0..10 {
        for (beginning, wanted) in beginnings().iter().zip(wanted) {
            let mut connection = rested.server.connect();
            connection.send(beginning);
            connection.finish_sending();
            let answers = std::iter::from_fn(|| connection.try_response("GET"));
            let statuses: Vec<u16> = answers.map(|answer| answer.status).collect();
            assert_eq!(statuses, wanted, "{}", beginning.escape_ascii());
            connection.assert_closed();
        }
    }
    rested.assert_regained();
}

#[test]
fn a_crowd_of_idle_clients_makes_room() {
    let mut rested = Rested::over(TestServer::with(&[("MAX_CONNECTIONS", "16")]));
    let mut crowd = stall(&rested.server, 200, b"");
    assert_eq!(rested.server.get("/healthz").body, b"OK");
    // Those that are kept are the latest.
    for connection in &mut crowd[..180] {
        connection.assert_closed();
    }
    drop(crowd);
    rested.assert_regained();
    let evicted = "release_server_connections_closed_total{reason=\"evicted\"}";
    assert!(rested.server.metric(evicted) >= 184);
}

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

#[test]
fn a_crowd_that_asks_at_once_is_answered_in_turn() {
    // A request that has come and waits for a worker does not make its connection an idle one.
    let mut rested = Rested::over(TestServer::with(&[
        ("MAX_CONNECTIONS", "16"),
        ("WORKERS", "1"),
    ]));
    let request = b"GET /assets/small.zip HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    for mut connection in stall(&rested.server, 200, request) {
        assert_eq!(connection.response("GET").body.len(), 1_000_000);
    }
    rested.assert_regained();
}

#[test]
fn out_of_descriptors_it_pauses_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let limited = "ulimit -n 64; exec \"$0\"";
    let server = TestServer::by_shell(limited, directory.path(), &[]);
    let mut rested = Rested::over(server);
    let server = &rested.server;
    let warning = server.wait_for_line(|line| {
        line["message"] == "the limit on open files allows fewer connections"
    });
    assert_eq!(
        (&warning["descriptors"], &warning["wanted"]),
        (&64.into(), &8192.into())
    );
    for beginning in beginnings() {
        // Idle ones go for new ones; those in the middle of a request are kept, and new ones wait.
        let idle = stall(&rested.server, 200, b"");
        assert_eq!(rested.server.get("/healthz").body, b"OK");
        let busy = stall(&rested.server, 200, &beginning);
        assert!(rested.server.descriptors() <= 64);
        drop((idle, busy));
        rested.assert_regained();
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
