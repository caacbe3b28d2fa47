//! Requests that the server itself makes: to an object store, to an issuer of tokens.
//!
//! ```text
//! let client = Client::new(&Options { ca_file: None, total_time_max: None })?;
//! let response = client.send(&Request {
//!     method: Method::Get,
//!     url: "https://store.example.org/bucket?list-type=2",
//!     headers: &[("authorization", signature)],
//!     body: Body::Empty,
//! })?;
//! let text = response.read_to_end(BYTES_MAX)?;
//! ```
//!
//! `agent` sends a request by `ureq` and returns any status as a [`Response`]; `tls` is the client
//! side of rustls, and `early_answer` mends what `ureq` does with a refusal before the body;
//! `resolver` finds the addresses of a name with `system_names` (the host's files) and `dns`
//! (messages); `failure` says why there is no response.
//!
//! Invariants: calls block, so only threads that may wait for another machine make them. Every
//! phase ends: resolving and connecting, each read and each write have limits of time, and a body
//! is read up to a limit of bytes. Redirects are returned, not followed. Proxies that the
//! environment names are not used: what is sent here has credentials. The C library's resolver is
//! not used: in a static binary it loads the host's libraries. No header or body is logged.
//!
//! Sources: RFC 9110 and RFC 9112 (HTTP), RFC 8446 (TLS), RFC 1035 (DNS), resolv.conf(5), hosts(5).

mod agent;
pub mod dns;
mod early_answer;
mod failure;
mod resolver;
pub mod system_names;
mod tls;

pub use agent::{Body, Client, Method, Options, Reader, Request, Response};
pub use failure::{Failure, FailureKind};
pub use resolver::SystemResolver;
