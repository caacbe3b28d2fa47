//! Requests that the server itself makes: against servers of the test's own, in clear and over TLS,
//! and the lookup of names.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments freely"
)]

#[path = "../support/certificates.rs"]
mod certificates;
mod lookups;
mod messages;
mod one_server;
mod requests;
