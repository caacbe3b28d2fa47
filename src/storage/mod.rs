//! Packages in a directory: the only code that touches it.
//!
//! Invariants:
//! - A package's name stands for a complete, synced file or for nothing ([`group`]).
//! - A checksum is either right or absent ([`sidecar`]).
//! - Package and sidecar names change only under the directory's lock, which all server processes
//!   on the volume share ([`lock`]).
//! - Each entry of a listing, and each download, describes one state of one file ([`listing`],
//!   [`open`]).
//!
//! This layer knows no socket, no HTTP status and no URL.
//!
//! Source: docs/contract.md, section 4.

mod cache;
pub mod change;
mod changes;
pub mod content;
pub mod directory;
pub mod error;
mod generation;
mod group;
pub mod leftovers;
pub mod listing;
pub mod lock;
mod maintenance;
mod missing_checksums;
pub mod name;
pub mod open;
mod owed;
pub mod package;
pub mod releases;
mod removal;
pub mod retention;
mod scan;
mod sidecar;
mod store;
mod temporary;
mod unread;
pub mod upload;
pub mod verify;

pub use change::{Delete, Overwrite, Precondition, Publish, Published, Requirement};
pub use content::Content;
pub use error::StorageError;
pub use listing::Listing;
pub use maintenance::Maintenance;
pub use name::PackageName;
pub use open::OpenPackage;
pub use package::Package;
pub use releases::{Release, Releases};
pub use retention::Retention;
pub use store::Store;
pub use upload::{CompleteUpload, PendingUpload};
