//! Faults: the server is killed at every system call, the disk fails, the directory is not as it was left.
//!
//! What strace or a mount of one's own is needed for is ignored by `cargo test` and run by `scripts/faults.sh`, which
//! `scripts/test.sh` calls where the tools are. The same code is the short run and the long one: see [`kills`].

mod by_hand;
mod disk;
mod durability;
mod every_call;
mod ledger;
mod mounts;
mod random_kills;
mod strace;

use crate::support::{FORM_TYPE, Response, TOKEN, TestServer, form};
use std::path::Path;

/// How many times to kill under load, and with it whether to kill at every call or at a sample of them.
fn kills() -> Option<usize> {
    let kills = std::env::var("FAULT_KILLS").ok()?;
    Some(kills.parse().expect("FAULT_KILLS is a number"))
}

/// How a server is started over a directory, with settings.
type Start = fn(&Path, &[(&str, &str)]) -> TestServer;

/// A server that uses named temporary files, as on file systems that have no others: without `/proc` a file that has no
/// name cannot be given one.
fn over_without_proc(storage: &Path, settings: &[(&str, &str)]) -> TestServer {
    TestServer::in_namespace("mount -t tmpfs none /proc", storage, settings)
}

/// A write that may find its server killed.
fn try_write(server: &TestServer, method: &str, path: &str, body: &[u8]) -> Option<Response> {
    let authorization = format!("Authorization: Bearer {TOKEN}\r\n");
    server.try_request(method, path, &authorization, body)
}

/// A publish by form that may find its server killed.
fn try_upload(server: &TestServer, name: &str, content: &[u8]) -> Option<Response> {
    let headers = format!("Authorization: Bearer {TOKEN}\r\n{FORM_TYPE}");
    server.try_request("POST", "/upload", &headers, &form(name, content))
}
