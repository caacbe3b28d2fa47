//! Where packages live: the only code that touches the storage directory and the bucket.
//!
//! [`Store`] is what the application asks; [`engines`] chooses by the settings between the two
//! engines that keep packages, in a directory and in a bucket.
//!
//! Invariant: each entry of a listing, and each download, describes one state of one package
//! ([`package`], [`open`]).
//!
//! This layer knows no socket, no HTTP status and no URL of this server.
//!
//! Source: docs/contract.md, section 4.

mod background;
#[cfg(feature = "bucket")]
mod bucket_engine;
pub mod change;
pub mod content;
pub mod directory;
pub mod directory_engine;
pub mod engines;
pub mod error;
pub mod listing;
pub mod name;
pub mod open;
pub mod package;
pub mod releases;
pub mod retention;
pub mod store;
mod temporary;
pub mod upload;
pub mod verification;

pub use background::Background;
pub use change::{Delete, Overwrite, Precondition, Publish, Published, Requirement};
pub use content::Content;
pub use error::StorageError;
pub use listing::Listing;
pub use name::PackageName;
pub use open::OpenPackage;
pub use package::{Package, PackageState};
pub use releases::{Release, Releases};
pub use retention::Retention;
pub use store::Store;
pub use upload::{CompleteUpload, PendingUpload};
