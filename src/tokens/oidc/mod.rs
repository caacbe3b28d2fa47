//! Trusted publishing: identity tokens that an issuer signs for a pipeline, in place of a secret.
//!
//! Data flows one way: `publisher` is what an entry requires of a token; `compact` takes a token
//! apart, `claims` and `keys` read what an issuer writes; `issuer` fetches keys; `identity` judges
//! a token by all of them.
//!
//! Invariants: nothing in a token names its key or its algorithm to this server, which knows both
//! from the issuer; nothing in a token is believed before its signature is checked, but the issuer,
//! which chooses the keys, and the key's name; a token is judged only once its issuer's keys are
//! known, so it makes no worker wait.
//!
//! Sources: RFC 7519 (JWT), RFC 8725 (its current practice), OpenID Connect Core 1.0, section
//! 3.1.3.7.

mod claims;
pub mod compact;
mod identity;
mod issuer;
pub mod keys;
mod publisher;

pub use identity::Identities;
pub use publisher::Publisher;
