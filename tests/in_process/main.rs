//! The server in this process, without its application, on a clock that the test moves by hand.
//!
//! For deadlines that no test can await in real time, and for what the real application never does (panics).

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments freely"
)]

mod crowds;
mod deadlines;
mod server;
#[expect(
    dead_code,
    unused_imports,
    reason = "the black-box tests need more of it"
)]
#[path = "../support/mod.rs"]
mod support;
