//! Sidecars that are owed: their checksum is known to this process, and writing them failed.

use crate::storage::package::Package;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Packages whose sidecar could not be written; the maintenance thread retries in every round.
#[derive(Debug, Default)]
pub struct OwedSidecars(Mutex<Vec<Arc<Package>>>);

impl OwedSidecars {
    fn packages(&self) -> MutexGuard<'_, Vec<Arc<Package>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn extend(&self, packages: impl IntoIterator<Item = Arc<Package>>) {
        self.packages().extend(packages);
    }

    /// Calls `write` for each owed sidecar until it fails. That package moves to the end: the cause
    /// often affects all of them, and each attempt may wait for the lock.
    pub fn pay(&self, write: impl Fn(&Package) -> bool) {
        let mut owed = std::mem::take(&mut *self.packages());
        let paid = owed.iter().take_while(|package| write(package)).count();
        owed.drain(..paid);
        if !owed.is_empty() {
            owed.rotate_left(1);
        }
        self.extend(owed);
    }
}
