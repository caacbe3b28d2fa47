//! The real binary over real sockets: one process and one directory a test, all in parallel.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments as they like"
)]

mod command_line;
mod contract;
mod contract_answers;
mod contract_pattern;
mod contract_releases;
mod contract_schema;
mod deadlines;
mod downloads;
mod harness;
mod hostile;
mod http_client;
mod in_process;
mod logs;
mod processes;
mod publish;
mod refusals;
mod release_downloads;
mod release_writes;
mod releases;
mod retention;
mod scripts;
mod shutdown;
mod stalled;
mod volume;
