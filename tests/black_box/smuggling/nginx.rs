//! Every shape through a real nginx that keeps its connections to the server.
//!
//! Invariants: the server has received exactly the requests that nginx recorded, each with the
//! status that nginx got; every client that uses nginx during or after a shape gets the answer to
//! its own request.
//!
//! Without nginx the tests print that and pass, unless `RELEASE_SERVER_REQUIRE_ALL` is set.

use super::{Shape, marker, shapes, victim};
use crate::support::{Connection, TestServer, tls, until};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};

/// An nginx in front of a server.
struct Nginx {
    child: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
    buffers_bodies: bool,
}

impl Nginx {
    /// Starts nginx if it is installed.
    fn before(server: &TestServer, buffers_bodies: bool) -> Option<Self> {
        if let Err(error) = Command::new("nginx").arg("-v").output() {
            let is_required = std::env::var_os("RELEASE_SERVER_REQUIRE_ALL").is_some();
            assert!(!is_required, "nginx cannot be started: {error}");
            eprintln!("skipped: nginx cannot be started: {error}");
            return None;
        }
        // Another process may take the port before nginx: then nginx ends, and another port is
        // tried.
        Some(until(|| Self::try_before(server, buffers_bodies)))
    }

    fn try_before(server: &TestServer, buffers_bodies: bool) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let address = TcpListener::bind(("127.0.0.1", 0))
            .unwrap()
            .local_addr()
            .unwrap();
        let configuration = directory.path().join("nginx.conf");
        let text = configure(address.port(), server.port, buffers_bodies);
        std::fs::write(&configuration, text).unwrap();
        let mut command = Command::new("nginx");
        command
            .arg("-p")
            .arg(directory.path())
            .arg("-c")
            .arg(configuration);
        let mut nginx = Self {
            child: command.spawn().unwrap(),
            address,
            directory,
            buffers_bodies,
        };
        let is_up = until(|| match nginx.child.try_wait().unwrap() {
            Some(_) => Some(false),
            None => TcpStream::connect(address).is_ok().then_some(true),
        });
        is_up.then_some(nginx)
    }

    fn connect(&self) -> Connection {
        Connection::new(TcpStream::connect(self.address).unwrap())
    }

    /// An honest request on a connection of its own, and its answer.
    fn serve_victim(&self, number: usize) {
        let mut connection = self.connect();
        connection.send(&victim(number));
        let answer = connection.response("GET");
        assert!(
            answer.status == 404 && answer.is_about(&marker(number)),
            "victim {number} was answered {answer:?}"
        );
    }

    /// The result of every request, as nginx recorded it.
    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.directory.path().join("access.log")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The highest limits that nginx permits, and short waits for bytes that never arrive.
fn configure(port: u16, server_port: u16, buffers_bodies: bool) -> String {
    let buffering = if buffers_bodies { "on" } else { "off" };
    let scheme = tls::scheme();
    format!(
        r#"daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ worker_connections 256; }}
http {{
  log_format requests escape=json '{{"id": "$request_id", "method": "$request_method",'
    '"target": "$request_uri", "status": "$status", "upstream": "$upstream_status"}}';
  access_log access.log requests;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  client_header_timeout 500ms; client_body_timeout 500ms; keepalive_timeout 500ms;
  lingering_timeout 500ms; lingering_time 1s;
  ignore_invalid_headers off; underscores_in_headers on; merge_slashes off; client_max_body_size 0;
  upstream server {{ server 127.0.0.1:{server_port}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port}; server_name t;
    location / {{
      proxy_pass {scheme}://server; proxy_http_version 1.1; proxy_request_buffering {buffering};
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Request-Id $request_id;
    }}
  }}
}}
"#
    )
}

/// Sends a shape followed by a request, and reads until the connection ends or that request is
/// answered.
fn send(nginx: &Nginx, shape: &Shape, number: usize) -> Vec<u8> {
    let mut connection = nginx.connect();
    let (last, first) = shape.pieces.split_last().unwrap();
    for piece in first {
        connection.send(piece);
        connection.wait_until_taken();
    }
    if shape.group.early > 0 && !nginx.buffers_bodies {
        connection.read_until(|answers| !answers.is_empty());
    }
    connection.send(&[&last[..], &victim(number)].concat());
    let own = marker(number);
    let answers = connection
        .read_until(|answers| count(answers, &own) > 0)
        .to_vec();
    // While the connection is still open.
    nginx.serve_victim(number + 1);
    assert_eq!(
        count(&answers, "victim-"),
        count(&answers, &own),
        "another's answer"
    );
    answers
}

/// The number of occurrences of a text.
fn count(bytes: &[u8], text: &str) -> usize {
    memchr::memmem::find_iter(bytes, text).count()
}

/// The statuses in a stream of answers.
fn statuses(answers: &[u8]) -> Vec<u16> {
    const BEFORE: &[u8] = b"HTTP/1.1 ";
    let status = |at: usize| {
        let digits = &answers[at + BEFORE.len()..][..3];
        std::str::from_utf8(digits).unwrap().parse().unwrap()
    };
    memchr::memmem::find_iter(answers, BEFORE)
        .map(status)
        .collect()
}

/// Compares the server's log with nginx's.
fn compare(server: &TestServer, nginx: &Nginx) {
    let sent = nginx.log();
    let by_id: HashMap<&str, &Value> = sent
        .iter()
        .map(|line| (line["id"].as_str().unwrap(), line))
        .collect();
    // Empty or `-` if nginx gave up before the answer; two if nginx retried.
    let status = |line: &Value| line["upstream"].as_str().unwrap().parse::<u16>().ok();
    let requests = until(|| {
        let requests = server.requests();
        let (refused, read): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|request| request["method"] == "-");
        let seen: HashSet<&str> = read
            .iter()
            .filter_map(|line| line["request_id"].as_str())
            .collect();
        let unseen = sent
            .iter()
            .filter(|line| !seen.contains(line["id"].as_str().unwrap()));
        // A refused head is not parsed, so its sender is unknown.
        let mut unseen: Vec<u16> = unseen.filter_map(status).collect();
        let mut refused: Vec<u16> = refused
            .iter()
            .map(|line| to_status(&line["status"]))
            .collect();
        unseen.sort_unstable();
        refused.sort_unstable();
        (unseen == refused).then_some(read)
    });
    let mut seen = HashSet::new();
    for request in &requests {
        let id = request["request_id"].as_str().unwrap();
        let line = by_id
            .get(id)
            .unwrap_or_else(|| panic!("nginx never sent {request}"));
        let path = line["target"].as_str().unwrap().split('?').next();
        assert_eq!(
            (&request["method"], request["path"].as_str()),
            (&line["method"], path)
        );
        assert!(
            status(line).is_none_or(|status| request["status"] == status),
            "{request} {line}"
        );
        assert!(seen.insert(id), "seen twice: {request}");
    }
}

fn to_status(value: &Value) -> u16 {
    value
        .as_u64()
        .and_then(|status| status.try_into().ok())
        .unwrap()
}

/// Sends every shape, each followed by honest requests.
fn send_all(buffers_bodies: bool) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("there.zip"), "hello").unwrap();
    let server = TestServer::over(directory.path(), &[("MAX_UPLOAD_SIZE", "1000000")]);
    let Some(nginx) = Nginx::before(&server, buffers_bodies) else {
        return;
    };
    let mut number = 0;
    nginx.serve_victim(number);
    for shape in shapes() {
        let answers = send(&nginx, &shape, number + 1);
        println!("{shape}: {:?}", statuses(&answers));
        // After it is closed.
        nginx.serve_victim(number + 3);
        number += 3;
    }
    let last = marker(number);
    until(|| {
        let is_last = |line: &Value| line["target"].as_str().unwrap().contains(&last);
        nginx.log().iter().any(is_last).then_some(())
    });
    compare(&server, &nginx);
    // Clients without a shared connection cannot harm each other: here they did share one.
    let connections = server.metric("release_server_connections_accepted_total");
    assert!(
        connections < server.requests().len() as u64 / 2,
        "{connections}"
    );
}

#[test]
fn nothing_is_smuggled_past_nginx() {
    send_all(true);
}

#[test]
fn nothing_is_smuggled_past_an_nginx_that_streams_bodies() {
    send_all(false);
}
