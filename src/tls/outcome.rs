//! What a session reports of records that it was given.

/// Why a session cannot go on: a sentence for the log.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed(pub String);

/// What received records held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Bytes of plaintext.
    pub length: usize,
    /// The client has sent `close_notify`: nothing more will come from it.
    pub is_closed: bool,
}
