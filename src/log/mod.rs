//! The log: one JSON object a line on standard output, or one line of text for a terminal.
//!
//! One thread owns the output. Lines about requests are gathered for a moment, so that a fast
//! server does not pay a system call for each; every other line is written at once. Lines about
//! requests are formatted in one step of their own, since a server writes more of them than of all
//! others.
//!
//! Sources: docs/contract.md, section 6; RFC 8259 (JSON).

mod output;
mod records;
mod request;

pub use output::{Format, dropped_lines, flush};
pub use records::{start, write_json, write_text};
pub use request::RequestLine;
