//! A client that keeps its connection as long as possible, publishes in every way, and accepts only
//! the answers it expects.

use crate::Random;
use crate::support::{Connection, FORM_TYPE, Response, TOKEN, TestServer, form};
use crate::version::Version;
use std::time::Duration;

/// The number of attempts while the server is busy.
const TRIES_MAX: usize = 10;

/// Reads and writes with the token, on one connection after another.
pub struct Client<'s> {
    pub server: &'s TestServer,
    pub random: Random,
    /// The longest pause in the middle of a download.
    pub rest_milliseconds_max: usize,
    connection: Option<Connection>,
}

/// A way to publish a package.
#[derive(Clone, Copy)]
pub enum Way {
    Form,
    Put,
    Chunked,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Form, Self::Put, Self::Chunked];

    /// The status of a publish under a free name.
    pub fn created(self) -> u16 {
        match self {
            Self::Form => 200,
            Self::Put | Self::Chunked => 201,
        }
    }
}

impl<'s> Client<'s> {
    pub fn new(server: &'s TestServer, seed: u64) -> Self {
        Self {
            server,
            random: Random(seed),
            rest_milliseconds_max: 0,
            connection: None,
        }
    }

    /// Sends a request and reads the head of its answer, whose status must be one of those allowed.
    /// If the server waited too long for the directory's lock, nothing was done, and the client
    /// retries as told.
    pub fn begin(
        &mut self,
        request: &str,
        headers: &str,
        body: &[u8],
        allowed: &[u16],
    ) -> (Connection, Response) {
        let method = request.split(' ').next().unwrap();
        let head = format!("{request} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
        let mut tries = 0;
        loop {
            tries += 1;
            let reused = self.connection.take();
            let mut connection = reused.unwrap_or_else(|| self.server.connect());
            connection.send(head.as_bytes());
            connection.send(body);
            let answer = connection.head();
            if allowed.contains(&answer.status) {
                return (connection, answer);
            }
            let answer = connection.body_of(answer, method);
            let body = String::from_utf8_lossy(&answer.body);
            let is_busy =
                answer.status == 503 && body.contains("holds the storage directory's lock");
            assert!(
                is_busy && tries < TRIES_MAX,
                "asked for one of {allowed:?}: {head}got {} with {:?}\n{body}",
                answer.status,
                answer.headers
            );
            let seconds = answer.header("retry-after").parse().unwrap();
            std::thread::sleep(Duration::from_secs(seconds));
        }
    }

    /// Returns a connection whose answer was read to the end, for reuse; occasionally drops it.
    pub fn keep(&mut self, connection: Connection, answer: &Response) {
        let closes = answer.try_header("connection") == Some("close");
        if !closes && !self.random.once_in(10) {
            self.connection = Some(connection);
        }
    }

    /// Pauses for a moment, if this client pauses at all.
    pub fn rest(&mut self) {
        if self.rest_milliseconds_max > 0 {
            let milliseconds = self.random.below(self.rest_milliseconds_max);
            std::thread::sleep(Duration::from_millis(milliseconds as u64));
        }
    }

    /// One request without a body, and its whole answer.
    pub fn ask(&mut self, request: &str, headers: &str, allowed: &[u16]) -> Response {
        let (mut connection, head) = self.begin(request, headers, b"", allowed);
        let method = request.split(' ').next().unwrap();
        let answer = connection.body_of(head, method);
        self.keep(connection, &answer);
        answer
    }

    /// Publishes; `allowed`: the statuses, among them 409 if the name exists.
    pub fn publish(
        &mut self,
        version: Version,
        way: Way,
        overwrite: bool,
        allowed: &[u16],
    ) -> Response {
        // From here on, listings and downloads may show it.
        version.sha256();
        let query = if overwrite { "?overwrite=true" } else { "" };
        let content = version.bytes();
        let put = format!("PUT /assets/{}{query}", version.name());
        let (request, framing, body) = match way {
            Way::Form => {
                let body = form(&version.name(), &content);
                let framing = format!("{FORM_TYPE}Content-Length: {}\r\n", body.len());
                (format!("POST /upload{query}"), framing, body)
            }
            Way::Put => (
                put,
                format!("Content-Length: {}\r\n", content.len()),
                content,
            ),
            Way::Chunked => {
                let framing = "Transfer-Encoding: chunked\r\n".to_owned();
                (put, framing, self.chunks(&content))
            }
        };
        let headers = format!("Authorization: Bearer {TOKEN}\r\n{framing}");
        let (mut connection, head) = self.begin(&request, &headers, &body, allowed);
        let answer = connection.body_of(head, "PUT");
        self.keep(connection, &answer);
        if answer.status == 409 {
            answer.assert_error(409, "exists already");
        } else {
            let package = answer.json();
            assert_eq!(package["name"], version.name());
            assert_eq!(package["size"], version.length());
            assert_eq!(package["sha256"], version.sha256().hex());
        }
        answer
    }

    /// Deletes; returns the status.
    pub fn delete(&mut self, name: &str, allowed: &[u16]) -> u16 {
        let headers = format!("Authorization: Bearer {TOKEN}\r\n");
        let request = format!("DELETE /assets/{name}");
        self.ask(&request, &headers, allowed).status
    }

    /// A chunked body with chunks of random length.
    fn chunks(&mut self, mut content: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(content.len() + 1024);
        while !content.is_empty() {
            let length = 1 + self.random.below(content.len().min(100_000));
            let (chunk, rest) = content.split_at(length);
            body.extend_from_slice(format!("{length:x}\r\n").as_bytes());
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
            content = rest;
        }
        body.extend_from_slice(b"0\r\n\r\n");
        body
    }
}
