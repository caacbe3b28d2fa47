//! The operator's view: the log, and the end of the process.

mod logs;
mod metrics;
mod reload;
mod shutdown;
mod unread_log;
