//! Clients that disconnect at every stage, floods, and crowds: the server keeps accepting and
//! regains all resources.
//!
//! Invariant: after each test, the server holds as many connections, descriptors and threads as
//! before, its memory has grown by at most `GROWTH_KIB_MAX`, and nothing was stored that was not
//! published.
//!
//! On loopback, a client that vanishes without a FIN (a cut cable) looks like a client that neither
//! reads nor sends. `tests/in_process/deadlines.rs` covers the deadlines for both.

use super::stall;
use crate::support::{Connection, TOKEN, TestServer, noise, tls, until};
use rustix::net::sockopt::set_socket_linger;
use std::time::Duration;

/// Memory that the buffers and stacks of busy workers take beyond those of idle workers.
const GROWTH_KIB_MAX: u64 = 4 * 1024;

const DOWNLOAD: &[u8] = b"GET /assets/small.zip HTTP/1.1\r\nHost: t\r\n\r\n";

/// A server with a package of a megabyte, and the resources it holds at rest.
struct Rested {
    server: TestServer,
    descriptors: usize,
    threads: usize,
    own_kib: u64,
}

impl Rested {
    fn over(server: TestServer) -> Self {
        assert_eq!(server.put("small.zip", &noise(8, 1_000_000)).status, 201);
        wait_until_alone(&server);
        Self {
            descriptors: server.descriptors(),
            threads: server.threads(),
            own_kib: server.own_kib(),
            server,
        }
    }

    /// Waits until the clients' connections are closed, and compares the resources held.
    fn assert_regained(&mut self) {
        let server = &mut self.server;
        server.assert_alive();
        wait_until_alone(server);
        until(|| (server.descriptors() <= self.descriptors).then_some(()));
        assert_eq!(server.threads(), self.threads);
        let growth = server.own_kib().saturating_sub(self.own_kib);
        assert!(growth <= GROWTH_KIB_MAX, "memory grew by {growth} KiB");
        assert_eq!(server.stored(), ["small.zip", "small.zip.sha256"]);
    }
}

/// Waits until the asking connection is the only one.
fn wait_until_alone(server: &TestServer) {
    until(|| (server.metric("release_server_connections_open") == 1).then_some(()));
}

/// Requests, complete and partial, after which a client disconnects.
fn beginnings() -> Vec<Vec<u8>> {
    let rows = beginnings_and_statuses().into_iter();
    rows.map(|(beginning, _)| beginning).collect()
}

/// Each beginning, with the statuses of the answers if the client sends no more than that.
fn beginnings_and_statuses() -> Vec<(Vec<u8>, &'static [u16])> {
    let put = "PUT /assets/x.zip HTTP/1.1\r\nHost: t\r\n";
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let rows: [(String, &[u16]); 9] = [
        (String::new(), &[]),
        ("GET /latest HTTP/1.1\r\nHos".to_owned(), &[400]),
        (
            "GET /latest HTTP/1.1\r\nHost: t\r\n\r\n".repeat(3),
            &[200; 3],
        ),
        (format!("{put}Content-Length: 2000\r\n\r\n"), &[401]),
        (
            format!("{put}{token}Content-Length: 2000\r\n\r\nhalf"),
            &[400],
        ),
        (
            format!("{put}{token}Content-Length: 2000\r\nExpect: 100-continue\r\n\r\n"),
            &[100, 400],
        ),
        (
            format!("{put}{token}Transfer-Encoding: chunked\r\n\r\n7d0\r\nhalf"),
            &[400],
        ),
        (String::from_utf8(DOWNLOAD.to_vec()).unwrap(), &[200]),
        ("nonsense\r\n\r\n".to_owned(), &[400]),
    ];
    let bytes = |(text, statuses): (String, _)| (text.into_bytes(), statuses);
    rows.into_iter().map(bytes).collect()
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
fn a_flood_of_resets_blocks_no_client() {
    let mut rested = Rested::over(TestServer::with(&[("MAX_CONNECTIONS", "100")]));
    let beginnings = beginnings();
    for number in 0..5000 {
        let mut connection = rested.server.connect();
        connection.send(&beginnings[number % beginnings.len()]);
        // Closing now resets the connection.
        set_socket_linger(&connection.stream, Some(Duration::ZERO)).unwrap();
        drop(connection);
        if number % 500 == 0 {
            assert_eq!(rested.server.get("/healthz").body, b"OK\n");
        }
    }
    rested.assert_regained();
}

#[test]
fn half_closed_clients_get_their_answers() {
    let mut rested = Rested::over(TestServer::start());
    for _ in 0..10 {
        for (beginning, wanted) in beginnings_and_statuses() {
            let mut connection = rested.server.connect();
            connection.send(&beginning);
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
fn the_most_workers_fit_a_small_address_space() {
    let directory = tempfile::tempdir().unwrap();
    // The address space of half a 32-bit process, in which the allocator has small arenas.
    let line = "ulimit -v 1572864; MALLOC_ARENA_MAX=1 exec \"$0\"";
    let server = TestServer::by_shell(line, directory.path(), &[("WORKERS", "1024")]);
    assert_eq!(server.get("/healthz").status, 200);
    until(|| (server.metric("release_server_workers") == 1024).then_some(()));
}

#[test]
fn a_crowd_of_idle_clients_makes_room() {
    let mut rested = Rested::over(TestServer::with(&[("MAX_CONNECTIONS", "16")]));
    let mut crowd = stall(&rested.server, 200, b"");
    assert_eq!(rested.server.get("/healthz").body, b"OK\n");
    // The latest connections are kept.
    for connection in &mut crowd[..180] {
        connection.assert_closed();
    }
    drop(crowd);
    rested.assert_regained();
    let evicted = "release_server_connections_closed_total{reason=\"evicted\"}";
    assert!(rested.server.metric(evicted) >= 184);
}

#[test]
fn a_crowd_that_asks_at_once_is_answered_in_turn() {
    // A connection whose request has arrived and waits for a worker is not idle.
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
    // A handshake waits where a connection in clear is only not accepted yet.
    if tls::is_over_tls() {
        return;
    }
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
        // Idle connections are closed for new ones; busy ones are kept, and new ones wait.
        let idle = stall(&rested.server, 200, b"");
        assert_eq!(rested.server.get("/healthz").body, b"OK\n");
        let busy = stall(&rested.server, 200, &beginning);
        assert!(rested.server.descriptors() <= 64);
        drop((idle, busy));
        rested.assert_regained();
    }
}
