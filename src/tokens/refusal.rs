//! What became of an identity token, and why one is not accepted.

use super::grant::Grant;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub enum Judgement {
    /// What the token may.
    Accepted(Arc<Grant>),
    Refused(IdentityRefusal),
    /// The keys of its issuer are to be fetched first.
    Unfetched(FetchKeys),
    /// The keys of this issuer cannot be fetched.
    Unavailable(String),
}

#[derive(Debug, PartialEq, Eq)]
pub enum IdentityRefusal {
    Malformed,
    TooLong,
    /// Its algorithm is neither RS256 nor ES256.
    Algorithm,
    /// It names or brings the key that it should be checked with.
    OwnKey,
    UnknownIssuer(String),
    /// The issuer does not publish its key.
    Key,
    Signature,
    Expired(SystemTime),
    /// It is not valid yet, or was issued in the future.
    Early(SystemTime),
    Audience,
    /// The name of a claim that does not fit.
    Claim(String),
}

/// Called when keys have been fetched, or could not be.
pub type Fetched = Box<dyn FnOnce() + Send>;

/// Fetching the keys of an issuer, on another thread.
pub struct FetchKeys(Box<dyn FnOnce(Fetched) + Send>);

impl FetchKeys {
    pub fn new(begin: impl FnOnce(Fetched) + Send + 'static) -> Self {
        Self(Box::new(begin))
    }

    /// Begins, and returns at once; `done` is called after it.
    pub fn begin(self, done: impl FnOnce() + Send + 'static) {
        (self.0)(Box::new(done));
    }
}

impl fmt::Debug for FetchKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FetchKeys")
    }
}
