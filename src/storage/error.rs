//! What can go wrong with the directory, in the terms of whoever asked.
//!
//! Invariant: an error that a person has to look into carries what was attempted, on which path, and the system's word;
//! clients are told the first and the last, the log has all three.

use crate::checksum::Sha256;
use rustix::io::Errno;
use std::path::Path;

/// Why the storage did not do what was asked.
#[derive(Debug)]
pub enum StorageError {
    /// There is no such package.
    NotFound,
    /// The name is taken by a package; its checksum, where it is known.
    Exists(Option<Sha256>),
    /// The name is taken by something that is no package, such as a folder.
    Occupied,
    /// The file system or a quota is full.
    NoSpace(Failure),
    /// Another process holds the directory's lock for too long.
    Busy,
    /// The directory cannot be used now; it may be soon.
    Unavailable(Failure),
    /// An operation failed.
    Failed(Failure),
}

/// A failed operation.
#[derive(Debug)]
pub struct Failure {
    /// What was attempted, to follow "cannot".
    pub action: &'static str,
    /// On what.
    pub path: String,
    /// What the system said.
    pub error: Errno,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {} {}: {}", self.action, self.path, self.error)
    }
}

impl std::fmt::Display for StorageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such package"),
            Self::Exists(_) | Self::Occupied => f.write_str("the name is taken"),
            Self::Busy => f.write_str("another server holds the storage directory's lock"),
            Self::NoSpace(failure) | Self::Unavailable(failure) | Self::Failed(failure) => {
                failure.fmt(f)
            }
        }
    }
}

impl std::error::Error for StorageError {}

/// The result of a storage operation.
pub type Result<T> = std::result::Result<T, StorageError>;

/// The system's word in an error of the standard library.
pub fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Turns the system's word on an operation into an error: full disks and exhausted descriptors are told apart.
pub fn failed(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(Errno) -> StorageError {
    move |error| {
        let failure = Failure {
            action,
            path: path.as_ref().display().to_string(),
            error,
        };
        match error {
            Errno::NOSPC | Errno::DQUOT => StorageError::NoSpace(failure),
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => StorageError::Unavailable(failure),
            _ => StorageError::Failed(failure),
        }
    }
}
