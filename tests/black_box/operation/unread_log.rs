//! A log that is not read: the server continues, its memory is bounded, and the dropped lines are
//! counted.

use crate::support::{Connection, TOKEN, command, until};
use release_server::limits::LOG_BACKLOG_BYTES_MAX;
use serde_json::Value;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Stdio};

struct Unread {
    child: Child,
    log: Lines<BufReader<ChildStdout>>,
    address: String,
    _directory: tempfile::TempDir,
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Unread {
    /// A server whose log is read up to the line that it listens, and then no more.
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut start = command();
        start
            .envs([("AUTH_TOKEN", TOKEN), ("PORT", "0"), ("HOST", "127.0.0.1")])
            .env("STORAGE_PATH", directory.path())
            .stdout(Stdio::piped());
        let mut child = start.spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = log.find_map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            Some(line["address"].as_str()?.to_owned())
        });
        Self {
            address: address.unwrap(),
            child,
            log,
            _directory: directory,
        }
    }

    fn connect(&self) -> Connection {
        Connection::new(TcpStream::connect(&self.address).unwrap())
    }

    fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        let kib: u64 = line
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kib * 1024
    }
}

#[test]
fn an_unread_log_delays_no_request_and_its_dropped_lines_are_counted() {
    let mut server = Unread::start();
    let mut connection = server.connect();
    let before = server.resident_bytes();
    // Each line has the path: some eight backlogs of lines.
    let path = "x".repeat(8000);
    let request = format!("GET /{path} HTTP/1.1\r\nHost: t\r\n\r\n");
    let requests = 8 * LOG_BACKLOG_BYTES_MAX / path.len();
    for _ in 0..requests {
        connection.send(request.as_bytes());
        assert_eq!(connection.response("GET").status, 404);
    }
    let dropped = until(|| Some(dropped_lines(&mut connection)).filter(|dropped| *dropped > 0));
    assert!(dropped < requests as u64, "{dropped} of {requests}");
    let growth = server.resident_bytes().saturating_sub(before);
    let growth_max = 4 * LOG_BACKLOG_BYTES_MAX as u64;
    assert!(
        growth < growth_max,
        "{growth} bytes for a backlog of {LOG_BACKLOG_BYTES_MAX}"
    );

    // Read again, the log has all other lines, and the count of those that are missing.
    let marker = "GET /marker HTTP/1.1\r\nHost: t\r\n\r\n";
    let mut counted = 0;
    let mut lines = 0;
    while counted == 0 {
        let line: Value = serde_json::from_str(&server.log.next().unwrap().unwrap()).unwrap();
        counted += line["count"].as_u64().unwrap_or_default();
        lines += u64::from(line["path"].as_str().is_some_and(|path| path.len() > 8000));
    }
    connection.send(marker.as_bytes());
    assert_eq!(connection.response("GET").status, 404);
    while !server.log.next().unwrap().unwrap().contains("/marker") {}
    assert_eq!(counted, dropped_lines(&mut connection));
    assert!(
        lines < requests as u64 && lines > 0,
        "{lines} of {requests}"
    );
}

/// The count of dropped lines that the metrics report.
fn dropped_lines(connection: &mut Connection) -> u64 {
    connection.send(b"GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n");
    let text = connection.response("GET").text();
    let name = "release_server_log_lines_dropped_total ";
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.unwrap().parse().unwrap()
}
