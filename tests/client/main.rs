//! Requests that the server itself makes: against servers of the test's own, in clear and over TLS,
//! and the lookup of names.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments freely"
)]

#[path = "../support/certificates.rs"]
#[expect(dead_code, reason = "these tests need no pair in files")]
mod certificates;
mod lookups;
mod messages;
mod one_server;
mod requests;
