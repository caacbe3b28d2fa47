//! Why an operation on the store did not succeed.

/// What a caller decides by. Those that another try may mend were tried again already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum S3ErrorKind {
    /// There is no object under the key.
    NotFound,
    /// The object still has the ETag that the request named (304).
    NotModified,
    /// The object exists, or has another ETag than the request named (412).
    PreconditionFailed,
    /// Another request changes the same key at this moment (409).
    Conflict,
    /// The store wants fewer requests (429, or 503 with such a code).
    Throttled,
    /// The store cannot be reached, or fails (5xx, time, TLS).
    Unavailable,
    /// The credentials may not do this, or are none (401, 403).
    Refused,
    /// The clocks differ too much, and the store's `Date` did not help.
    ClockSkew,
    /// The store received other bytes than were hashed.
    DigestMismatch,
    /// A quota or the store is full.
    Full,
    NoSuchBucket,
    /// The bucket is in another region; the sentence names it where the store does.
    WrongRegion,
    /// The request was not understood, or its response was not.
    Invalid,
}

/// A kind, and a sentence for the log and the operator, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Error {
    pub kind: S3ErrorKind,
    pub why: String,
}

pub type Result<T> = std::result::Result<T, S3Error>;

impl S3Error {
    pub fn new(kind: S3ErrorKind, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { kind, why }
    }
}

impl std::fmt::Display for S3Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for S3Error {}
