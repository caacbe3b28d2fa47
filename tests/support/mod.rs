//! Shared by all test targets: the real binary on a free port, and HTTP/1.1 by hand.
//!
//! Each target includes this folder by its path, as `crate::support`.

pub mod bucket;
pub mod certificates;
mod content;
mod harness;
mod http_client;
#[cfg(feature = "oidc")]
pub mod issuer;
pub mod sock_diag;
pub mod tls;

pub use content::*;
pub use harness::*;
pub use http_client::*;
