//! Sockets and threads: everything between the kernel and a [`crate::http::service::Service`].
//!
//! The one idea: no worker ever waits for a client. A connection is a small state machine, parked
//! in the kernel's readiness queue with one deadline. A fixed pool takes connections that are
//! ready, advances each as far as it goes without waiting, and parks it again.
//!
//! Data flows one way: [`listener`] and `poller` bring events, `backlog` keeps those that no worker
//! handles yet, [`table`] owns parked connections, `pool` advances them, `connection` has the table
//! of transitions, and the phases (`handshake`, `head`, `waiting`, `body`, `storing`, `answer`,
//! `skip`, `linger`) speak HTTP over a `wire` and pass requests to the service. A wire is a
//! `socket`, with a `secure` half where it speaks TLS.
//!
//! Lock order: the listener's, the table's, the backlog's; none is held while another is taken.

mod answer;
mod answer_body;
mod backlog;
mod body;
mod completions;
mod conn_id;
mod connection;
mod context;
mod deadlines;
pub mod descriptors;
mod exchange;
mod handle;
mod handshake;
mod head;
mod linger;
pub mod listener;
pub mod memory_limit;
pub mod pace;
mod phase;
mod poller;
mod pool;
mod progress;
mod relief;
mod request_id;
mod secure;
mod shared;
pub mod shutdown;
mod skip;
pub mod sock_diag;
mod socket;
mod storing;
pub mod table;
mod waiting;
mod wire;

pub use conn_id::ConnId;
pub use context::Tls;
pub use handle::{Options, Server};
pub use pool::Worker;
pub use shared::DRAINED;
