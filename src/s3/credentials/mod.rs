//! Credentials: where they come from, and when they are fetched again.
//!
//! `source` chooses the first of five sources that the settings and the environment name; `fetch`
//! asks it, with `responses` to read what its servers answer; `cache` keeps credentials until
//! shortly before they expire.
//!
//! Invariant: keys and tokens are never part of a message or a log line, and `Debug` hides them.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers".

mod cache;
mod fetch;
mod responses;
mod source;

pub use cache::CredentialCache;
pub use source::Source;

use std::time::SystemTime;

#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    /// Of temporary credentials.
    pub token: Option<String>,
    pub expires: Option<SystemTime>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
