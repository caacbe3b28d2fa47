//! The engine that keeps packages as files in one directory.
//!
//! Invariants:
//! - A package's name stands for a complete, synced file or for nothing ([`group`]).
//! - A checksum is either right or absent ([`sidecar`]).
//! - Package and sidecar names change only under the directory's lock, which all server processes
//!   on the volume share ([`lock`]).
//!
//! Source: docs/contract.md, section 4.

mod cache;
mod changes;
mod generation;
mod group;
pub mod import;
pub mod leftovers;
pub mod lock;
mod maintenance;
mod missing_checksums;
mod open;
mod open_files;
mod owed;
mod ready;
mod removal;
mod scan;
mod sidecar;
pub mod store;
mod synced_upload;
mod unread;
pub mod verify;
