//! TLS without sockets: a certificate and its key from files, and the state machine of one connection.
//!
//! Data flows one way: [`pair`] reads and checks a certificate and its key, `facts` reads what a
//! person wants to know of a certificate, [`acceptor`] holds the pair in force and renews it, [`session`] turns
//! records into bytes and back.
//!
//! Invariants: no socket is touched here and no thread waits here for a client; the text of a key is never part of a
//! message.

pub mod acceptor;
mod facts;
pub mod pair;
pub mod session;
