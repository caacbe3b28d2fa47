//! HTTP/1.1 by hand: a connection that sends given bytes and reads answers strictly.
//!
//! Invariant: an answer is read exactly to its announced length; a deviation from RFC 9112 fails
//! the test.

use super::harness::{PATIENCE, until};
use super::sock_diag::queues;
use super::tls::TlsClient;
use release_server::server::descriptors::raise_limit;
use rustls::ClientConfig;
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Once};

pub struct Connection {
    pub stream: TcpStream,
    /// `None` in clear.
    tls: Option<TlsClient>,
    /// Received and not read yet.
    buffered: Vec<u8>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        // Tests that open a thousand connections run beside each other.
        static RAISED: Once = Once::new();
        RAISED.call_once(|| {
            raise_limit();
        });
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            tls: None,
            buffered: Vec::new(),
        }
    }

    /// A connection after its TLS handshake; `None` where the server ends before that is done.
    pub fn over_tls(stream: TcpStream) -> Option<Self> {
        let mut connection = Self::new(stream);
        connection.tls = Some(TlsClient::connect(&mut connection.stream)?);
        Some(connection)
    }

    /// The same, as this client.
    pub fn over_tls_with(config: &Arc<ClientConfig>, stream: TcpStream) -> Option<Self> {
        let mut connection = Self::new(stream);
        connection.tls = Some(TlsClient::connect_with(config, &mut connection.stream)?);
        Some(connection)
    }

    /// Sends; an error because the server has closed is ignored.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = match &mut self.tls {
            None => self.stream.write_all(bytes),
            Some(tls) => tls.send(&mut self.stream, bytes),
        };
    }

    /// Closes the sending side.
    pub fn finish_sending(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify(&mut self.stream);
        }
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits until the process at the other end has read all bytes sent, or the connection is
    /// closed.
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

    /// Receives more; returns whether there was any.
    fn fill(&mut self) -> bool {
        let received = if let Some(tls) = &mut self.tls {
            tls.receive(&mut self.stream)
        } else {
            let mut buffer = vec![0; 64 * 1024];
            let received = self.stream.read(&mut buffer);
            received.map(|length| {
                buffer.truncate(length);
                buffer
            })
        };
        match received {
            Ok(bytes) => {
                self.buffered.extend_from_slice(&bytes);
                !bytes.is_empty()
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            // Stopping and continuing this process interrupts reads with a time limit: signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) => panic!("reading from the server: {error}"),
        }
    }

    /// Receives until `is_enough` or the end of the connection; returns the received bytes that are
    /// not read yet.
    pub fn read_until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> &[u8] {
        while !is_enough(&self.buffered) && self.fill() {}
        &self.buffered
    }

    /// Reads one answer to a request of this method.
    pub fn response(&mut self, method: &str) -> Response {
        self.try_response(method).expect("an answer")
    }

    /// Reads one answer; `None` if the connection ends before it.
    pub fn try_response(&mut self, method: &str) -> Option<Response> {
        let head = self.try_head()?;
        Some(self.body_of(head, method))
    }

    /// Reads the head of an answer and leaves the body for [`Connection::body_of`].
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

    /// Reads the body after a head, in answer to this method.
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

    /// Reads at most this many bytes of a body; none at the end of the connection.
    pub fn some(&mut self, bytes_max: usize) -> Vec<u8> {
        if self.buffered.is_empty() {
            self.fill();
        }
        let length = self.buffered.len().min(bytes_max);
        self.buffered.drain(..length).collect()
    }

    /// Asserts that the connection ends without further bytes.
    pub fn assert_closed(&mut self) {
        while self.fill() {}
        let rest = String::from_utf8_lossy(&self.buffered);
        assert!(rest.is_empty(), "unexpected before the close: {rest}");
    }
}

#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; panics if it is missing.
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

    /// Whether its body contains this name.
    pub fn is_about(&self, name: &str) -> bool {
        memchr::memmem::find(&self.body, name.as_bytes()).is_some()
    }

    /// Asserts an error: its status, and that its two equal sentences hold these words.
    pub fn assert_error(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!(body["detail"], body["message"]);
        let sentence = body["detail"].as_str().unwrap();
        assert!(sentence.contains(words), "'{words}' is not in '{sentence}'");
    }
}
