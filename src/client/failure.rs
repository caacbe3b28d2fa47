//! Why a request has no response, or its body does not arrive whole.
//!
//! Invariant: a sentence names the server, never what was sent to it.

use std::fmt;
use std::io;
use ureq::Error;

/// What a caller decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No address is known for the server's name.
    Unresolved,
    /// No connection was made.
    Unreachable,
    /// A phase took too long.
    TimedOut,
    /// The server's certificate is not trusted, or TLS failed otherwise.
    Tls,
    /// The connection broke, or the response is not HTTP.
    Broken,
    /// A body longer than its limit.
    TooLong,
    /// The URL or a header cannot be sent.
    Invalid,
}

/// A kind, and a sentence for the log and the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    pub fn new(kind: FailureKind, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { kind, why }
    }

    /// What went wrong while a body was read.
    pub fn of_body(error: io::Error, host: &str) -> Self {
        Self::of(Error::from(error), host)
    }

    pub(super) fn of(error: Error, host: &str) -> Self {
        use FailureKind::{Broken, Invalid, TimedOut, Tls, Unresolved};
        let (kind, why) = match error {
            Error::Io(error) => return Self::of_io(&error, host),
            Error::Timeout(phase) => {
                let phase = match phase {
                    ureq::Timeout::Resolve => "its name was not resolved in time",
                    ureq::Timeout::Connect => "no connection was made in time",
                    _ => "no progress was made in time",
                };
                (TimedOut, format!("{host}: {phase}"))
            }
            Error::HostNotFound => (Unresolved, format!("{host}: no address is known")),
            Error::Tls(why) => (Tls, format!("{host}: TLS: {why}")),
            Error::Http(error) => (Invalid, format!("{host}: {error}")),
            Error::BadUri(why) => (Invalid, format!("{host}: {why}")),
            error => (Broken, format!("{host}: {error}")),
        };
        Self { kind, why }
    }

    fn of_io(error: &io::Error, host: &str) -> Self {
        use io::ErrorKind;
        let inner = error.get_ref();
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::new(FailureKind::Tls, format!("{host}: TLS: {error}"));
        }
        let kind = match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable => FailureKind::Unreachable,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => FailureKind::TimedOut,
            _ => FailureKind::Broken,
        };
        Self::new(kind, format!("{host}: {error}"))
    }
}
