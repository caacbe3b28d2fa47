//! Sending a request and reading its response, by `ureq`.
//!
//! Invariants: any status is a response, not a failure; a file is sent from its beginning, whatever
//! its offset is, and exactly as long as announced.

use super::early_answer::EarlyAnswerConnector;
use super::failure::{Failure, FailureKind};
use super::resolver::SystemResolver;
use super::tls::{TlsConnector, config};
use crate::limits::{
    CLIENT_BUFFER_BYTES, CLIENT_CONNECT_TIME_MAX, CLIENT_IDLE_CONNECTIONS, CLIENT_IDLE_TIME_MAX,
    CLIENT_SILENCE_TIME_MAX,
};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;
use ureq::http;
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, SendBody};

const USER_AGENT: &str = concat!("release-server/", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// A PEM file of the authorities to trust; `None` for the built-in ones.
    pub ca_file: Option<&'a Path>,
    /// From the beginning of a request to the end of its response's body; `None` where only each
    /// phase is limited, for bodies of any length.
    pub total_time_max: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Put,
    Post,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// No body, for methods that have none.
    Empty,
    Bytes(&'a [u8]),
    /// The first `length` bytes of a file.
    File {
        file: &'a File,
        length: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: Method,
    /// With every byte encoded that needs it; it is sent as it is.
    pub url: &'a str,
    /// Names in lower case. `host` is taken from the URL where it is not here; the length of a body
    /// is added. With `expect: 100-continue` the body waits for the server, at most a second.
    pub headers: &'a [(&'a str, String)],
    pub body: Body<'a>,
}

/// Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
}

impl Client {
    /// The error is a sentence about the file of authorities.
    pub fn new(options: &Options<'_>) -> Result<Self, String> {
        let connector = TcpConnector::default()
            .chain(TlsConnector(config(options.ca_file)?))
            .chain(EarlyAnswerConnector);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(USER_AGENT)
            .max_idle_connections(CLIENT_IDLE_CONNECTIONS)
            .max_idle_connections_per_host(CLIENT_IDLE_CONNECTIONS)
            .max_idle_age(CLIENT_IDLE_TIME_MAX)
            .input_buffer_size(CLIENT_BUFFER_BYTES)
            .output_buffer_size(CLIENT_BUFFER_BYTES)
            .timeout_resolve(Some(CLIENT_CONNECT_TIME_MAX))
            .timeout_connect(Some(CLIENT_CONNECT_TIME_MAX))
            .timeout_per_read(Some(CLIENT_SILENCE_TIME_MAX))
            .timeout_per_write(Some(CLIENT_SILENCE_TIME_MAX))
            .timeout_recv_response(Some(CLIENT_SILENCE_TIME_MAX))
            .timeout_global(options.total_time_max)
            .build();
        let agent = Agent::with_parts(config, connector, SystemResolver::default());
        Ok(Self { agent })
    }

    /// Sends a request and receives the head of its response.
    pub fn send(&self, request: &Request<'_>) -> Result<Response, Failure> {
        let host = host_of(request.url);
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(*name, value);
        }
        let response = match request.body {
            Body::Empty => self.run(builder, SendBody::none()),
            Body::Bytes(mut content) => {
                let builder = builder.header("content-length", content.len());
                self.run(builder, SendBody::from_reader(&mut content))
            }
            Body::File { file, length } => {
                let mut content = FileReader {
                    file,
                    at: 0,
                    end: length,
                };
                let builder = builder.header("content-length", length);
                self.run(builder, SendBody::from_reader(&mut content))
            }
        };
        let response = response.map_err(|error| Failure::of(error, host))?;
        Ok(Response {
            inner: response,
            host: host.to_owned(),
        })
    }

    fn run(
        &self,
        builder: http::request::Builder,
        body: SendBody<'_>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        self.agent.run(builder.body(body)?)
    }
}

/// Host and port, for sentences.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// A response whose body is not read yet.
#[derive(Debug)]
pub struct Response {
    inner: http::Response<ureq::Body>,
    host: String,
}

impl Response {
    pub fn status(&self) -> u16 {
        self.inner.status().as_u16()
    }

    /// The first field of that name, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// All fields that are text, with their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.inner.headers().iter();
        fields.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The whole body; a failure if it is longer than `bytes_max`.
    pub fn read_to_end(self, bytes_max: usize) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        let host = self.host.clone();
        let limit = bytes_max as u64 + 1;
        self.into_reader()
            .take(limit)
            .read_to_end(&mut body)
            .map_err(|error| Failure::of_body(error, &host))?;
        if body.len() > bytes_max {
            let why = format!("{host}: the answer is over {bytes_max} bytes");
            return Err(Failure::new(FailureKind::TooLong, why));
        }
        Ok(body)
    }

    /// The body as it arrives. It ends with an error where it is shorter than announced.
    pub fn into_reader(self) -> Reader {
        Reader(self.inner.into_body().into_reader())
    }
}

/// The body of a response; dropping it unread closes the connection.
pub struct Reader(ureq::BodyReader<'static>);

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

/// Part of a file, without moving its offset, so that requests may share it.
struct FileReader<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Read for FileReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let length = into.len().min(left);
        if length == 0 {
            return Ok(0);
        }
        match self.file.read_at(&mut into[..length], self.at)? {
            // `ureq` would wait for the rest without end.
            0 => Err(io::Error::other("the file is shorter than announced")),
            length => {
                self.at += length as u64;
                Ok(length)
            }
        }
    }
}
