//! What the application asks of the packages, whichever engine keeps them.
//!
//! Invariants: a call waits at most for a local disk that works, never for a network. A change is
//! answered by its `done`, exactly once, on a thread of the engine.

use super::background::Background;
use super::change::{Delete, Publish, Requirement};
use super::error::{Result, StorageError};
use super::listing::Listing;
use super::name::PackageName;
use super::open::OpenPackage;
use super::package::Package;
use super::upload::{CompleteUpload, PendingUpload};
use crate::disk_gate::DiskGate;
use std::sync::Arc;

/// The packages of one storage.
pub trait Store: Send + Sync {
    /// Starts the threads that maintain the storage.
    fn start_maintenance(&self) -> std::io::Result<Background>;

    /// The bound on workers that wait for the disk of this storage.
    fn gate(&self) -> &Arc<DiskGate>;

    /// All packages, newest first. While the storage does not answer, as they were last listed.
    fn listing(&self) -> Result<Arc<Listing>>;

    /// The same for those who cannot be asked again: as it was last read, where that would be
    /// [`StorageError::Pending`].
    fn listing_at_hand(&self) -> Result<Arc<Listing>> {
        match self.listing() {
            Err(StorageError::Pending(_)) => Ok(self.last_listing()),
            listing => listing,
        }
    }

    /// The listing as it was last read, without a system call.
    fn last_listing(&self) -> Arc<Listing>;

    /// Opens a package for a download.
    fn open_package(&self, name: &PackageName) -> Result<OpenPackage>;

    /// The content of one file of a step package, which must be in its listed state; `None` where
    /// there is no such file.
    fn step_file(&self, package: &Package, path: &str) -> Result<Option<Vec<u8>>>;

    fn begin_upload(&self) -> Result<PendingUpload>;

    /// Whether a publish under this name would be refused now. The publish itself decides,
    /// atomically; this check spares the client sending a body in vain.
    fn check_publish(&self, name: &PackageName, requirement: &Requirement) -> Result<()>;

    /// Publishes a complete upload. The package is durable when `done` gets the result.
    fn publish(&self, upload: CompleteUpload, publish: Publish);

    /// Deletes a package, durably when `done` gets the result.
    fn delete(&self, delete: Delete);

    /// Bytes that can still be written; `None` where the file system does not report its space.
    fn free_bytes(&self) -> Result<Option<u64>>;

    /// Refuses an upload of so many bytes where there is no room for it now: on the disk, or in
    /// the queue of changes.
    fn check_room(&self, bytes: u64) -> Result<()>;

    /// Whether packages can be listed and published. A full disk does not count.
    fn check_ready(&self) -> Result<()>;
}
