//! Clients that make the server hold memory while they wait: the total over all of them is bounded,
//! and clients that read their answers are served meanwhile.

use super::stall;
use crate::support::{Connection, TestServer, noise, tls, until};
use release_server::limits::{PARKED_BYTES_MAX, RENDERED_BYTES_MAX, RENDERED_BYTES_PER_PACKAGE};

/// The workers' buffers, and the structs and allocations of a thousand connections.
const SLACK_KIB: u64 = 5 * 1024;
/// The keys of a thousand TLS sessions, and the buffers of workers for their records.
const TLS_SLACK_KIB: u64 = 8 * 1024;

const CLOSED: &str = "release_server_connections_closed_total{reason=\"memory\"}";

/// Opens connections, then sends on each as much of these bytes as the server takes. Over TLS the
/// handshakes of all may take longer than one client has for its head.
fn crowd(server: &TestServer, count: usize, bytes: &[u8]) -> Vec<Connection> {
    let mut crowd: Vec<_> = (0..count).map(|_| server.connect()).collect();
    for connection in &mut crowd {
        // The server closes some connections midway.
        connection.send(bytes);
    }
    crowd
}

fn assert_bounded(server: &TestServer, before_kib: u64, bytes_max: usize) {
    let growth = server.own_kib().saturating_sub(before_kib);
    let tls_kib = if tls::is_over_tls() { TLS_SLACK_KIB } else { 0 };
    let growth_max = bytes_max as u64 / 1024 + SLACK_KIB + tls_kib;
    assert!(growth <= growth_max, "memory grew by {growth} KiB");
}

#[test]
fn requests_sent_ahead() {
    let server = TestServer::start();
    let content = noise(8, 1_000_000);
    assert_eq!(server.put("small.zip", &content).status, 201);
    let before = server.own_kib();
    // None of the clients reads: the first answers fill the sockets, and the rest waits.
    let ahead = "GET /assets/small.zip HTTP/1.1\r\nHost: t\r\n\r\n".repeat(4000);
    let crowd = stall(&server, 800, ahead.as_bytes());
    until(|| (server.metric(CLOSED) > 0).then_some(()));
    assert_bounded(&server, before, PARKED_BYTES_MAX);
    assert!(server.get("/assets/small.zip").body == content);
    drop(crowd);
    until(|| (server.metric("release_server_connections_open") == 1).then_some(()));
}

#[test]
fn halves_of_heads() {
    let server = TestServer::start();
    let before = server.own_kib();
    let half = format!(
        "GET /latest HTTP/1.1\r\nHost: t\r\nX: {}",
        "x".repeat(15_000)
    );
    let mut crowd = crowd(&server, 800, half.as_bytes());
    until(|| (server.metric(CLOSED) > 0).then_some(()));
    assert_bounded(&server, before, PARKED_BYTES_MAX);
    assert_eq!(server.get("/latest").status, 200);
    let refused = until(|| {
        let mut connection = crowd.pop()?;
        Some(connection.response("GET")).filter(|answer| answer.status == 503)
    });
    refused.assert_error(503, "Slow clients hold all memory");
    assert_eq!(refused.header("retry-after"), "2");
}

#[test]
fn small_needs_fit_beside_a_crowd() {
    let server = TestServer::with(&[("WORKERS", "2")]);
    let content = noise(9, 20_000_000);
    assert_eq!(server.put("large.zip", &content).status, 201);
    let half = format!("GET / HTTP/1.1\r\nHost: t\r\nX: {}", "x".repeat(15_000));
    let full = crowd(&server, 800, half.as_bytes());
    until(|| (server.metric(CLOSED) > 0).then_some(()));
    // The last kilobytes of the budget, too.
    let small = [1000, 100, 40].map(|bytes| crowd(&server, 100, &half.as_bytes()[..bytes]));
    // Downloads that pause, and heads in two parts, short and long.
    let mut downloads: Vec<Connection> = (0..4).map(|_| server.connect()).collect();
    for download in &mut downloads {
        download.send(b"GET /assets/large.zip HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    for padding in [0, 12_000].repeat(10) {
        let head = format!(
            "GET /healthz HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n",
            "x".repeat(padding)
        );
        let (first, rest) = head.as_bytes().split_at(head.len() - 10);
        let mut connection = server.connect();
        connection.send(first);
        assert_eq!(server.get("/healthz").status, 200);
        connection.send(rest);
        assert_eq!(connection.response("GET").status, 200, "{padding}");
    }
    for mut download in downloads {
        assert!(download.response("GET").body == content);
    }
    drop((full, small));
}

/// A directory with so many packages and their checksums.
fn directory_of(packages: usize) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    for number in 0..packages {
        let path = directory.path().join(format!("package-1.{number}.0.zip"));
        std::fs::write(&path, "x").unwrap();
        std::fs::write(path.with_extension("zip.sha256"), sha256).unwrap();
    }
    directory
}

/// What every client asks for.
const USUAL: [&str; 5] = [
    "/latest",
    "/packages",
    "/packages?format=json",
    "/assets/SHA256SUMS",
    "/repos/o/r/releases",
];

fn assert_usual_answers(server: &TestServer) {
    for path in USUAL {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
}

#[test]
fn answers_for_invented_hosts() {
    const PACKAGES: usize = 2000;
    let directory = directory_of(PACKAGES);
    // Each worker keeps what it needed for the largest answer that it made.
    let server = TestServer::over(directory.path(), &[("WORKERS", "1")]);
    for _ in 0..30 {
        assert_usual_answers(&server);
    }
    let body_bytes = server.get("/latest").body.len();
    let before = server.own_kib();
    let ask = |host: usize| format!("GET /latest HTTP/1.1\r\nHost: h{host}.example\r\n\r\n");
    let clients: Vec<_> = (0..40)
        .map(|host| stall(&server, 1, ask(host).repeat(12).as_bytes()))
        .collect();
    for host in 1000..1040 {
        let mut connection = server.connect();
        connection.send(ask(host).as_bytes());
        assert_eq!(connection.response("GET").status, 200);
    }
    assert_usual_answers(&server);
    assert_bounded(&server, before, body_bytes);
    drop(clients);
}

/// A stranger that invents owners as long as they may be, each in requests of its own.
fn invented(number: usize, path: &str) -> String {
    let owner = format!("{number:x>100}");
    let host = format!("{number:h>255}");
    format!("/repos/{owner}/{owner}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[test]
fn answers_for_invented_repositories_and_pages() {
    let directory = directory_of(100);
    let server = TestServer::over(directory.path(), &[]);
    assert_usual_answers(&server);
    let before = server.own_kib();
    for number in 0..200 {
        let mut connection = server.connect();
        let path = format!(
            "/releases?per_page={}&page={}",
            number % 100 + 1,
            number / 100 + 1
        );
        connection.send(format!("HEAD {}", invented(number, &path)).as_bytes());
        assert_eq!(connection.response("HEAD").status, 200);
    }
    let crowds: Vec<_> = (0..120)
        .map(|number| {
            let ask = invented(number, &format!("/releases?per_page={}", number % 100 + 1));
            stall(&server, 1, format!("GET {ask}").repeat(40).as_bytes())
        })
        .collect();
    assert_usual_answers(&server);
    let bytes_max = RENDERED_BYTES_MAX + 100 * RENDERED_BYTES_PER_PACKAGE + PARKED_BYTES_MAX;
    assert_bounded(&server, before, bytes_max);
    drop(crowds);
}

#[test]
fn objects_of_single_assets() {
    let directory = directory_of(1);
    let server = TestServer::over(directory.path(), &[]);
    let id = server.get("/repos/o/r/releases/latest").json()["assets"][0]["id"].clone();
    let before = server.own_kib();
    let crowds: Vec<_> = (0..60)
        .map(|number| {
            let ask = invented(number, &format!("/releases/assets/{id}"));
            stall(&server, 1, format!("GET {ask}").repeat(500).as_bytes())
        })
        .collect();
    assert_usual_answers(&server);
    assert_bounded(&server, before, PARKED_BYTES_MAX);
    drop(crowds);
}
