//! Clients that stall, leave, flood or lie: none keeps another waiting, and the server regains all
//! that they cost.

mod abuse;
mod held_memory;
mod hostile;
mod stalled;

use crate::support::{Connection, TestServer, tls};

/// Opens connections that each send these bytes and then stay silent.
fn stall(server: &TestServer, count: usize, bytes: &[u8]) -> Vec<Connection> {
    let open = |_| {
        let mut connection = server.connect();
        connection.send(bytes);
        connection
    };
    (0..count).map(open).collect()
}

/// The memory that the workers' buffers may come to hold, in KiB; over TLS, each has another one
/// for records.
fn buffers_kib_max() -> u64 {
    if tls::is_over_tls() { 4096 } else { 2048 }
}
