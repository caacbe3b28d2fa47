//! The real binary over real sockets: one process and one directory a test, all in parallel.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments as they like"
)]

mod abuse;
mod command_line;
mod content;
mod contract;
mod contract_answers;
mod contract_pattern;
mod contract_releases;
mod contract_schema;
mod deadlines;
mod downloads;
mod faults;
mod harness;
mod health_check;
mod held_memory;
mod hostile;
mod http_client;
mod in_process;
mod later;
mod logs;
mod pages;
mod processes;
mod publish;
mod refusals;
mod release_downloads;
mod release_writes;
mod releases;
mod retention;
mod scale;
mod scripts;
mod shutdown;
mod smuggling;
mod sock_diag;
mod stalled;
mod verify;
mod volume;
