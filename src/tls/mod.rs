//! TLS without sockets: a certificate and its key from files, and the two sides of a connection's
//! records.
//!
//! Data flows one way: `pair` reads and checks a certificate and its key, `facts` what a person
//! wants to know of it; `acceptor` holds the pair in force, which `renewal` renews; `session` turns
//! records into bytes and back. `own_server` is the client side, for the health check.
//!
//! Invariants: no socket of a client is touched here, and no thread waits here for a client; the
//! text of a key is never part of a message.
//!
//! The feature `tls` brings the libraries. Without it `absent` has the same names.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod facts;
mod outcome;
#[cfg(feature = "tls")]
mod own_server;
#[cfg(feature = "tls")]
mod pair;
#[cfg(feature = "tls")]
mod renewal;
#[cfg(feature = "tls")]
mod session;

#[cfg(not(feature = "tls"))]
pub use absent::{Acceptor, Renewal, Session, connect_to_own_server, describe};
#[cfg(feature = "tls")]
pub use acceptor::{Acceptor, Reread};
pub use outcome::{Failed, Opened};
#[cfg(feature = "tls")]
pub use own_server::connect_to_own_server;
#[cfg(feature = "tls")]
pub use pair::{Pair, describe};
#[cfg(feature = "tls")]
pub use renewal::Renewal;
#[cfg(feature = "tls")]
pub use session::Session;
