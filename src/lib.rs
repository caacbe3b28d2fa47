//! A release server: publish spec-kit template packages with `curl` and a token, and let everyone
//! fetch them.
//!
//! Data flows one way through the layers, each of which uses only those below it (`tests/tidy`
//! checks it): [`commands`] → [`server`] (sockets and threads) → [`app`] (policy) → [`storage`]
//! (the directory) → `s3` (an object store) → [`tls`] (certificates and records), [`tokens`] (who
//! may write) → [`config`] (settings) → `client` (requests to other servers) → [`http`] (bytes to
//! values) → [`metrics`] → [`log`], [`checksum`], [`clock`], [`date`], [`disk_gate`], [`limits`],
//! [`pattern`], [`text`], [`version`], [`watch`].
//!
//! ARCHITECTURE.md has the overview, the map of the code and the invariants.

pub mod app;
pub mod awaited;
pub mod checksum;
#[cfg(feature = "client")]
pub mod client;
pub mod clock;
pub mod commands;
pub mod config;
pub mod date;
pub mod disk_gate;
pub mod http;
pub mod limits;
pub mod log;
pub mod manifest;
pub mod metrics;
pub mod pattern;
#[cfg(feature = "bucket")]
pub mod s3;
pub mod server;
pub mod storage;
pub mod text;
pub mod tls;
pub mod tokens;
pub mod version;
pub mod watch;
