//! The interface between the server and the application: a request, and a reply to it.
//!
//! Invariants: an application never sees a socket and a connection never sees a route; a handler
//! that wants the body is given it as it arrives, and never waits for it.

use crate::awaited::Awaited;
use crate::http::chunked::ChunkError;
use crate::http::fields::Fields;
use crate::http::framing::Framing;
use crate::http::head::{Expectation, HeadError};
use crate::http::response::Response;
use crate::http::target::Target;
use std::ops::ControlFlow;
use std::sync::Arc;
use tiny_http::Method;

/// A request whose head is complete. Its body, if any, is still to arrive.
#[derive(Debug)]
pub struct Request<'r> {
    pub method: &'r Method,
    pub target: Target<'r>,
    pub fields: Fields<'r, 'r>,
    pub framing: Framing,
    pub expectation: Expectation,
    /// Host and port by which the client reached this server; the connection's own address where an
    /// HTTP/1.0 request names none.
    pub authority: &'r str,
    pub channel: Channel,
}

/// How the connection of a request reached this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// In clear: TLS, if any, ends at a proxy.
    Clear,
    Tls,
    /// In clear, to a server that speaks TLS on its other port.
    ClearBesideTls,
}

pub enum Reply {
    /// The answer. A body that was announced is not wanted.
    Now(Response),
    /// The answer follows once the body has been fed to the sink.
    Body(Box<dyn BodySink>),
    /// Another thread makes the answer. The function is called on the worker and must not wait; the
    /// connection is parked until the completion is completed or dropped.
    Later(Box<dyn FnOnce(Completion) + Send>),
    /// The application is asked again when this is there. Only a reply to a head.
    Again(Arc<dyn Awaited>),
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Now(response)
    }
}

/// The duty to answer one request of [`Reply::Later`], from any thread. Dropped, it answers 500.
pub struct Completion(Option<Deliver>);

type Deliver = Box<dyn FnOnce(Option<Response>) + Send>;

impl Completion {
    /// A completion that calls `deliver` once: with the answer, or with `None` where it is dropped.
    pub fn new(deliver: impl FnOnce(Option<Response>) + Send + 'static) -> Self {
        Self(Some(Box::new(deliver)))
    }

    /// Hands the answer over to the connection.
    pub fn complete(mut self, response: Response) {
        if let Some(deliver) = self.0.take() {
            deliver(Some(response));
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        if let Some(deliver) = self.0.take() {
            deliver(None);
        }
    }
}

/// A reply, and the route that made it.
pub struct Decision {
    /// The route as metrics and logs name it.
    pub route: &'static str,
    /// The name of the token that a write was accepted with, as logs name it.
    pub token: Option<String>,
    pub reply: Reply,
}

/// Takes a request's body as it arrives. Dropped without [`BodySink::finish`], it undoes what it
/// did.
pub trait BodySink: Send {
    /// Takes the next bytes; breaks with an answer where the rest is not wanted.
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response>;
    /// The body is complete. The reply is [`Reply::Now`] or [`Reply::Later`].
    fn finish(self: Box<Self>) -> Reply;
}

/// Why the server refuses a request by itself.
#[derive(Debug)]
pub enum Refusal {
    Head(HeadError),
    /// The rest of a head or of a body did not arrive in time.
    Timeout,
    /// The connection ended in the middle of the head.
    HeadCutShort,
    /// The connection ended in the middle of the body.
    BodyCutShort,
    Chunks(ChunkError),
    /// Parked connections hold as much memory as they may.
    Overloaded,
    /// A handler panicked.
    Panic,
    /// The client speaks HTTP in clear on a port that speaks TLS.
    ClearOnTls,
}

/// An application.
pub trait Service: Send + Sync {
    /// Decides on a request from its head.
    fn respond(&self, request: &Request<'_>) -> Decision;
    /// The answer to a request that the server refuses.
    fn refuse(&self, refusal: Refusal) -> Response;
}
