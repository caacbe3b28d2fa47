//! TLS without sockets: pairs from files, and sessions in this process against rustls' client.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments freely"
)]

#[path = "../support/certificates.rs"]
mod certificates;
mod client;
mod pairs;
mod renewal;
mod sessions;
