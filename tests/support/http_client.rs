//! HTTP/1.1 by hand: a connection that sends what it is told and reads answers strictly.
//!
//! Invariant: an answer is read exactly as long as it announces itself; what is not as RFC 9112 has it fails the test.

use super::harness::{PATIENCE, until};
use super::sock_diag::queues;
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// A connection that speaks HTTP by hand.
pub struct Connection {
    pub stream: TcpStream,
    /// Received and not read yet.
    buffered: Vec<u8>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffered: Vec::new(),
        }
    }

    /// Sends; a server that closed already is none of the sender's business.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Closes the sending side.
    pub fn finish_sending(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits until the process at the other end has read all that was sent, or the connection is gone.
    pub fn wait_until_taken(&self) {
        let ends = (self.stream.local_addr(), self.stream.peer_addr());
        let (Ok(SocketAddr::V4(own)), Ok(SocketAddr::V4(other))) = ends else {
            return;
        };
        until(|| {
            let (_, on_its_way) = queues(own, other).unwrap_or_default();
            let (unread, _) = queues(other, own).unwrap_or_default();
            (on_its_way == 0 && unread == 0).then_some(())
        });
    }

    /// Receives more; whether there was any.
    fn fill(&mut self) -> bool {
        let mut buffer = vec![0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.buffered.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            // What stops this process and lets it go on interrupts reads with a time limit: signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) => panic!("reading from the server: {error}"),
        }
    }

    /// Receives until it is enough or the connection ends; all that was received and not read yet.
    pub fn read_until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> &[u8] {
        while !is_enough(&self.buffered) && self.fill() {}
        &self.buffered
    }

    /// Reads one answer to a request of this method.
    pub fn response(&mut self, method: &str) -> Response {
        self.try_response(method).expect("an answer")
    }

    /// Reads one answer; `None` where the connection ends before it.
    pub fn try_response(&mut self, method: &str) -> Option<Response> {
        let head = self.try_head()?;
        Some(self.body_of(head, method))
    }

    /// Reads the head of an answer; the body is left for [`Connection::body_of`].
    pub fn head(&mut self) -> Response {
        self.try_head().expect("an answer")
    }

    fn try_head(&mut self) -> Option<Response> {
        let end = loop {
            if let Some(at) = memchr::memmem::find(&self.buffered, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.fill() {
                return None;
            }
        };
        let head: Vec<u8> = self.buffered.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head in ASCII");
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().unwrap();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest[..3].parse().ok())
            .unwrap_or_else(|| panic!("no status line: {status_line}"));
        let headers = lines
            .map(|line| line.split_once(": ").expect("a header line"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Some(Response {
            status,
            headers,
            body: Vec::new(),
        })
    }

    /// Reads the body that follows a head, in answer to this method.
    pub fn body_of(&mut self, mut response: Response, method: &str) -> Response {
        if matches!(response.status, 100 | 204 | 304) || method == "HEAD" {
            return response;
        }
        let length: usize = response.header("content-length").parse().unwrap();
        while response.body.len() < length {
            let read = response.body.len();
            let more = self.some(length - read);
            assert!(
                !more.is_empty(),
                "the body ends after {read} bytes of {length}"
            );
            response.body.extend(more);
        }
        response
    }

    /// Reads some more of a body, at most so many bytes; none where the connection ends.
    pub fn some(&mut self, bytes_max: usize) -> Vec<u8> {
        if self.buffered.is_empty() {
            self.fill();
        }
        let length = self.buffered.len().min(bytes_max);
        self.buffered.drain(..length).collect()
    }

    /// Asserts that nothing more comes and the connection ends.
    pub fn assert_closed(&mut self) {
        while self.fill() {}
        let rest = String::from_utf8_lossy(&self.buffered);
        assert!(rest.is_empty(), "unexpected before the close: {rest}");
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; fails where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.try_header(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    pub fn try_header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Whether its body names this.
    pub fn is_about(&self, name: &str) -> bool {
        memchr::memmem::find(&self.body, name.as_bytes()).is_some()
    }

    /// Asserts an error: its status, and that its two sentences are one and hold these words.
    pub fn assert_error(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!(body["detail"], body["message"]);
        let sentence = body["detail"].as_str().unwrap();
        assert!(sentence.contains(words), "'{words}' is not in '{sentence}'");
    }
}
