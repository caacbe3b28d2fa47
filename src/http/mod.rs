//! HTTP/1.x and its media types, as far as this server speaks them: bytes to values and back.
//!
//! Invariants:
//! - Nothing here touches a socket, a file or a clock; every parser can be fuzzed on its own.
//! - Ambiguous input is refused, never guessed at: two readers of the same bytes must not see two
//!   different requests.
//! - Parsers are push parsers: they take the bytes that have arrived, keep what they need, and
//!   never wait.
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
pub mod template;
