//! The real binary over real sockets: one process and one directory a test, all in parallel.

mod downloads;
mod harness;
mod hostile;
mod http_client;
mod publish;
mod refusals;
