//! The real binary over real sockets: one process and one directory a test, all in parallel.

mod harness;
mod http_client;
mod publish;
mod refusals;
