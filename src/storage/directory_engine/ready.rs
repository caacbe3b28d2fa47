//! A change that is ready to be made, and its answer.
//!
//! Invariant: each change has one answer, which is sent once.

use super::synced_upload::SyncedUpload;
use crate::storage::change::{Delete, Done, Publish, Published};
use crate::storage::error::{Result, StorageError};
use crate::storage::name::PackageName;

/// A change that is ready to be made.
pub enum ReadyChange {
    Publish(Publish, SyncedUpload),
    Delete(Delete),
}

/// The result of a change and the receiver of it.
pub enum Answer {
    Publish(Result<Published>, Done<Published>),
    Delete(Result<PackageName>, Done<()>),
}

impl Answer {
    pub fn send(self) {
        match self {
            Self::Publish(result, done) => done(result),
            Self::Delete(result, done) => done(result.map(drop)),
        }
    }

    /// Turns success into this error.
    pub fn fail(&mut self, error: &StorageError) {
        match self {
            Self::Publish(result @ Ok(_), _) => *result = Err(error.clone()),
            Self::Delete(result @ Ok(_), _) => *result = Err(error.clone()),
            _ => {}
        }
    }
}

impl ReadyChange {
    /// The answer where the change cannot be made.
    pub fn refuse(self, error: StorageError) -> Answer {
        match self {
            Self::Publish(publish, _) => Answer::Publish(Err(error), publish.done),
            Self::Delete(delete) => Answer::Delete(Err(error), delete.done),
        }
    }
}
