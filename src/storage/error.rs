//! The ways in which a storage operation can fail.
//!
//! Invariant: an error that an operator has to look into carries the action, the path and the
//! system's error. Clients see the action and the error; the log has all three.

use crate::awaited::Awaited;
use crate::checksum::Sha256;
use crate::manifest::outcome::DUPLICATE;
use rustix::io::Errno;
use std::path::Path;
use std::sync::Arc;

/// Why a storage operation did not succeed.
#[derive(Clone, Debug)]
pub enum StorageError {
    NotFound,
    /// A package has the name; its checksum, where it is known.
    Exists(Option<Sha256>),
    /// A package has the name, and the request may not replace it.
    OverwriteForbidden,
    /// Something other than a package, such as a directory, has the name.
    Occupied,
    /// The precondition of a change does not hold.
    PreconditionFailed,
    /// Catalogs have to list the package, and an older one has its id and version.
    Duplicate,
    /// Catalogs have to list the package, and so many others were not read yet.
    Unread(usize),
    /// Too many changes wait already.
    QueueFull,
    /// Calls to the disk do not return.
    DiskHangs,
    /// The file system or a quota is full.
    NoSpace(Failure),
    /// Another process held the directory's lock for too long.
    Busy,
    /// The directory cannot be used now; retrying may succeed.
    Unavailable(Failure),
    Failed(Failure),
    /// The store refuses the change of this package, and of others it may not.
    Refused(Failure),
    /// The answer is not known yet; another thread finds it out.
    Pending(Arc<dyn Awaited>),
}

/// A failed operation.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What was attempted; completes "cannot …".
    pub action: &'static str,
    pub path: String,
    pub error: FailureReason,
}

/// The error of the system or of the store.
#[derive(Clone, Debug)]
pub enum FailureReason {
    System(Errno),
    /// The sentence of an object store's error.
    Store(Arc<str>),
}

impl FailureReason {
    /// The error for clients, who need not know how the store is reached.
    pub fn public(&self) -> String {
        match self {
            Self::System(error) => error.to_string(),
            Self::Store(_) => "the object store did not do it".to_owned(),
        }
    }
}

impl std::fmt::Display for FailureReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Store(error) => f.write_str(error),
        }
    }
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
            Self::OverwriteForbidden => f.write_str("the package may not be replaced"),
            Self::PreconditionFailed => f.write_str("the precondition does not hold"),
            Self::Duplicate => f.write_str(DUPLICATE),
            Self::Unread(packages) => write!(f, "{packages} packages were not read yet"),
            Self::DiskHangs => f.write_str("the disk does not answer"),
            Self::QueueFull => f.write_str("too many changes wait for the disk"),
            Self::Busy => f.write_str("another server holds the storage directory's lock"),
            Self::Pending(_) => f.write_str("the storage does not answer yet"),
            Self::NoSpace(failure)
            | Self::Unavailable(failure)
            | Self::Failed(failure)
            | Self::Refused(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for StorageError {}

/// The result of a storage operation.
pub type Result<T> = std::result::Result<T, StorageError>;

/// The system's error number in an error of the standard library.
pub fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Turns the system's error of an operation into a [`StorageError`]. Full disks and exhausted
/// resources get kinds of their own.
pub fn failed(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(Errno) -> StorageError {
    move |error| {
        let failure = Failure {
            action,
            path: path.as_ref().display().to_string(),
            error: FailureReason::System(error),
        };
        match error {
            Errno::NOSPC | Errno::DQUOT => StorageError::NoSpace(failure),
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => StorageError::Unavailable(failure),
            _ => StorageError::Failed(failure),
        }
    }
}

/// The same for an operation without which nothing in the directory can be used.
pub fn unavailable(
    action: &'static str,
    path: impl AsRef<Path>,
) -> impl FnOnce(Errno) -> StorageError {
    move |error| match failed(action, path)(error) {
        StorageError::Failed(failure) => StorageError::Unavailable(failure),
        other => other,
    }
}
