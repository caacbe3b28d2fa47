//! Faults: the server is killed at every system call, the disk fails, the directory changes under
//! the server.
//!
//! `cargo test` ignores tests that need strace or mounts; `scripts/faults.sh` runs them, and
//! `scripts/test.sh` calls it if the tools are installed. Short and long runs share the code: see
//! [`kills`].

mod by_hand;
mod disk;
mod durability;
mod every_call;
mod groups;
mod ledger;
pub mod mounts;
mod power_loss;
mod random_kills;
mod strace;

use crate::support::{FORM_TYPE, Response, TOKEN, TestServer, form};
use std::path::Path;

/// The number of kills under load; if set, kills happen at every call, else at a sample of calls.
fn kills() -> Option<usize> {
    let kills = std::env::var("FAULT_KILLS").ok()?;
    Some(kills.parse().expect("FAULT_KILLS is a number"))
}

/// Starts a server over a directory, with settings.
type Start = fn(&Path, &[(&str, &str)]) -> TestServer;

/// A server that uses named temporary files, as on file systems without unnamed ones: without
/// `/proc`, an unnamed file cannot be given a name.
fn over_without_proc(storage: &Path, settings: &[(&str, &str)]) -> TestServer {
    TestServer::in_namespace("mount -t tmpfs none /proc", storage, settings)
}

/// A write during which the server may be killed.
fn try_write(server: &TestServer, method: &str, path: &str, body: &[u8]) -> Option<Response> {
    let authorization = format!("Authorization: Bearer {TOKEN}\r\n");
    server.try_request(method, path, &authorization, body)
}

/// A publish by form during which the server may be killed.
fn try_upload(server: &TestServer, name: &str, content: &[u8]) -> Option<Response> {
    let headers = format!("Authorization: Bearer {TOKEN}\r\n{FORM_TYPE}");
    server.try_request("POST", "/upload", &headers, &form(name, content))
}
