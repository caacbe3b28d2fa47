//! Tokens of writes: which there are, and what each one may.
//!
//! Data flows one way: `secret` is the text of a token; `grant` what a token may; `entry` reads one
//! entry of a tokens file and `file` all of them; [`Tokens`] finds the entry of a token that a
//! client sends.
//!
//! Invariants: the server keeps hashes of tokens and never a token; looking a token up takes the
//! same time whichever entries there are and however much of one matches; a file that cannot be
//! used leaves the last one in force.

pub mod entry;
pub mod file;
pub mod grant;
mod lookup;
pub mod secret;

pub use grant::{Grant, Right};
pub use lookup::{Denied, Tokens};
