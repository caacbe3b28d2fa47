//! Clients that stall, leave, flood or lie: none keeps another waiting, and the server regains all
//! that they cost.

mod abuse;
mod held_memory;
mod hostile;
mod stalled;

use crate::support::{Connection, TestServer};

/// Opens connections that each send these bytes and then stay silent.
fn stall(server: &TestServer, count: usize, bytes: &[u8]) -> Vec<Connection> {
    let open = |_| {
        let mut connection = server.connect();
        connection.send(bytes);
        connection
    };
    (0..count).map(open).collect()
}
