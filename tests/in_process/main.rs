//! The server in this process, without its application, on a manual clock.
//!
//! For deadlines that a test cannot await in real time, and for panics, which the application never
//! causes.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments freely"
)]

mod crowds;
mod deadlines;
mod disk;
mod download_counts;
mod fairness;
#[cfg(feature = "oidc")]
mod issuers;
mod later;
mod memory_limit;
mod panics;
mod reasons;
mod rendered;
mod server;
mod storage;
#[expect(dead_code, reason = "the black-box tests need more of it")]
#[path = "../support/mod.rs"]
mod support;
mod table;
mod token_timing;
mod turns;
mod watch;
