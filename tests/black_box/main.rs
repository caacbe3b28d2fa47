//! The real binary over real sockets: one process and one directory a test, all in parallel.

mod deadlines;
mod downloads;
mod harness;
mod hostile;
mod http_client;
mod in_process;
mod processes;
mod publish;
mod refusals;
mod retention;
mod volume;
