//! Bytes to values and back: the part of HTTP/1.x and its media types that this server speaks.
//!
//! Invariants:
//! - Nothing here touches a socket, a file or a clock; every parser can be fuzzed on its own.
//! - What is ambiguous is refused, never guessed: two readers of the same bytes must not see two requests.
//! - Parsers are push parsers: they take what has arrived, keep what they need, and never wait.
//! - "Not yet complete" is a value, not an error.

pub mod authority;
pub mod body;
pub mod chunked;
pub mod conditional;
pub mod digest;
pub mod disposition;
pub mod fields;
pub mod framing;
pub mod head;
pub mod multipart;
pub mod parameters;
pub mod range;
pub mod response;
pub mod service;
pub mod target;
