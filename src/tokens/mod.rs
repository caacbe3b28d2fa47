//! Tokens of writes: which there are, and what each one may.
//!
//! Data flows one way: `secret` is the text of a token; `grant` what a token may; `oidc` judges
//! identity tokens, and `refusal` says what became of one; `entry` reads one entry of a tokens file
//! and `file` all of them; [`Tokens`] finds the entry of a token that a client sends.
//!
//! Invariants: the server keeps hashes of tokens and never a token; looking a token up takes the
//! same time whichever entries there are and however much of one matches; a file that cannot be
//! used leaves the last one in force.
//!
//! The feature `oidc` brings identity tokens. Without it `absent` has the same names.

#[cfg(not(feature = "oidc"))]
mod absent;
pub mod entry;
pub mod file;
pub mod grant;
mod lookup;
#[cfg(feature = "oidc")]
pub mod oidc;
pub mod refusal;
pub mod secret;

#[cfg(not(feature = "oidc"))]
use absent::{Identities, Publisher};
pub use grant::{Grant, Right};
pub use lookup::{Denied, Tokens};
#[cfg(feature = "oidc")]
use oidc::{Identities, Publisher};
pub use refusal::{AwaitedKeys, IdentityRefusal};
