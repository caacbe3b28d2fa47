//! The real binary over real sockets: one process and one directory for each test, all in parallel.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments freely"
)]

#[cfg(feature = "catalogs")]
#[path = "../support/archives.rs"]
mod archives;
mod bucket;
mod clients;
mod commands;
// The contract includes the catalogs.
#[cfg(feature = "catalogs")]
mod contract;
mod faults;
#[cfg(feature = "tls")]
mod https;
mod operation;
mod packages;
mod releases;
mod scripts;
mod smuggling;
mod storage;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
