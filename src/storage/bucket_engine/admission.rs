//! The bound on changes that wait for the store.
//!
//! Invariant: every admitted change is counted until its ticket is dropped, answered or not.

use crate::limits::{QUEUED_BYTES_MAX, QUEUED_CHANGES_MAX};
use crate::storage::error::{Result, StorageError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the changes without an answer.
#[derive(Clone, Debug, Default)]
pub struct Admission(Arc<Mutex<Admitted>>);

#[derive(Debug, Default)]
struct Admitted {
    changes: usize,
    /// Bytes of their uploads.
    bytes: u64,
}

/// The place of one change.
#[derive(Debug)]
pub struct Ticket {
    admission: Admission,
    bytes: u64,
}

impl Admission {
    fn admitted(&self) -> MutexGuard<'_, Admitted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a change with an upload of so many bytes would be refused now.
    pub fn check_room(&self, bytes: u64) -> Result<()> {
        self.admitted().check_room(bytes)
    }

    pub fn admit(&self, bytes: u64) -> Result<Ticket> {
        let mut admitted = self.admitted();
        admitted.check_room(bytes)?;
        admitted.changes += 1;
        admitted.bytes += bytes;
        drop(admitted);
        Ok(Ticket {
            admission: self.clone(),
            bytes,
        })
    }
}

impl Admitted {
    fn check_room(&self, bytes: u64) -> Result<()> {
        let is_over = self.bytes.saturating_add(bytes) > QUEUED_BYTES_MAX;
        if self.changes >= QUEUED_CHANGES_MAX || (self.changes > 0 && is_over) {
            return Err(StorageError::QueueFull);
        }
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut admitted = self.admission.admitted();
        admitted.changes -= 1;
        admitted.bytes -= self.bytes;
    }
}
