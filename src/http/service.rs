//! What passes between the connections and the application: a request, and a reply to it.
//!
//! Invariants: an application never sees a socket and a connection never sees a route; a handler that wants the body
//! gets it pushed, as it arrives, and never waits for it.

use crate::http::fields::Fields;
use crate::http::framing::Framing;
use crate::http::head::Expectation;
use crate::http::response::Response;
use crate::http::target::Target;
use std::ops::ControlFlow;
use tiny_http::Method;

/// A request whose head is complete. Its body, if any, is still to come.
#[derive(Debug)]
pub struct Request<'r> {
    /// The method.
    pub method: &'r Method,
    /// Path and query.
    pub target: Target<'r>,
    /// The header fields.
    pub fields: Fields<'r, 'r>,
    /// How the body is delimited.
    pub framing: Framing,
    /// What the client expects before it sends the body.
    pub expectation: Expectation,
    /// Host and port that the client reached this server by; the connection's own address where HTTP/1.0 said none.
    pub authority: &'r str,
}

/// What becomes of a request.
pub enum Reply {
    /// The answer. A body that was announced is not wanted.
    Now(Response),
    /// The answer comes once the body has been fed to the sink.
    Body(Box<dyn BodySink>),
}

/// A reply, and what the request was for.
pub struct Decision {
    /// The route, as metrics and logs name it.
    pub route: &'static str,
    /// The reply.
    pub reply: Reply,
}

/// Takes a request's body as it arrives. Dropped without [`BodySink::finish`], it undoes what it did.
pub trait BodySink: Send {
    /// Takes the next bytes; breaks with an answer where the rest is not wanted.
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response>;
    /// The body is complete.
    fn finish(self: Box<Self>) -> Response;
}

/// An application.
pub trait Service: Send + Sync {
    /// Decides on a request, from its head.
    fn respond(&self, request: &Request<'_>) -> Decision;
}
