//! What became of an identity token, and why one is not accepted.

use super::grant::Grant;
use crate::awaited::Awaited;
use std::sync::Arc;
use std::time::SystemTime;

pub enum Judgement {
    /// What the token may.
    Accepted(Arc<Grant>),
    Refused(IdentityRefusal),
    /// The keys of its issuer are to be fetched first.
    Unfetched(AwaitedKeys),
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
    /// The names of the claims that do not fit the entry that fits best.
    Claims(Vec<String>),
}

/// The keys of an issuer, which another thread fetches once somebody waits for them.
pub type AwaitedKeys = Arc<dyn Awaited>;
