//! What an operator sees: the log, and the end of the process.

mod logs;
mod shutdown;
