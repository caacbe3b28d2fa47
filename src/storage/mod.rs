//! Packages in a directory: the only code that touches it.
//!
//! Invariants:
//! - Nothing is visible under a package's name but a complete, synced file ([`upload`]).
//! - A checksum is either right or absent ([`sidecar`]).
//! - Names of packages and sidecars change only under the directory's lock ([`lock`]), which several processes share.
//! - What a listing or a download says belongs to one state of a file ([`listing`], [`open`]).
//!
//! No socket, no HTTP status, no URL is known here.
//!
//! Source: the project's contract, section 4 (README.md, "Storage").

mod cache;
pub mod directory;
pub mod error;
mod heal;
pub mod leftovers;
pub mod listing;
pub mod lock;
mod maintenance;
pub mod name;
pub mod open;
pub mod releases;
mod removal;
pub mod retention;
mod scan;
mod sidecar;
mod temporary;
pub mod upload;
pub mod verify;

pub use error::StorageError;
pub use listing::{Listing, Package};
pub use maintenance::Maintenance;
pub use name::PackageName;
pub use open::OpenPackage;
pub use releases::Release;
pub use retention::Retention;
pub use upload::{CompleteUpload, PendingUpload, Published};

use crate::clock::Clock;
use cache::ListingCache;
use directory::{Directory, Entry};
use error::{Result, failed};
use heal::OwedSidecars;
use lock::LockKeeper;
use rustix::fs::Access;
use rustix::io::Errno;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Creates the directory, and those above it, where it is missing: what is published into it is durable only when its own
/// name is.
fn create_durably(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => return Ok(()),
    };
    create_durably(above)?;
    match std::fs::create_dir(path) {
        // Another server, started at the same time.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        created => created?,
    }
    std::fs::File::open(above)?.sync_all()
}

/// The packages of one directory.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    retention: Retention,
    clock: Clock,
    lock: LockKeeper,
    cache: ListingCache,
    owed: OwedSidecars,
}

impl Store {
    /// Opens the directory, creating it where it is missing.
    pub fn open(path: &Path, retention: Retention, clock: Clock) -> std::io::Result<Arc<Self>> {
        create_durably(path)?;
        Ok(Arc::new(Self {
            lock: LockKeeper::start(path)?,
            cache: ListingCache::new(path.to_owned(), clock.clone()),
            path: path.to_owned(),
            retention,
            clock,
            owed: OwedSidecars::default(),
        }))
    }

    /// All packages, newest first.
    pub fn listing(&self) -> Result<Arc<Listing>> {
        self.cache.current()
    }

    /// Opens a package for a download.
    pub fn open_package(&self, name: &PackageName) -> Result<OpenPackage> {
        open::open(self, name)
    }

    /// Begins an upload.
    pub fn begin_upload(self: &Arc<Self>) -> Result<PendingUpload> {
        PendingUpload::new(Arc::clone(self))
    }

    /// Whether a publish under this name would be refused now. The publish itself decides, atomically; this spares a
    /// client sending a body in vain.
    pub fn check_name_is_free(&self, name: &PackageName, overwrite: bool) -> Result<()> {
        match Directory::open(&self.path)?.entry(name.as_str())? {
            None => Ok(()),
            Some(Entry::File(_)) if overwrite => Ok(()),
            Some(entry) => Err(self.taken(name, entry)),
        }
    }

    /// The error for a name that is taken by this entry.
    fn taken(&self, name: &PackageName, entry: Entry) -> StorageError {
        match entry {
            Entry::Other => StorageError::Occupied,
            Entry::File(_) => {
                let found = self.open_package(name).ok();
                StorageError::Exists(found.and_then(|found| found.sha256))
            }
        }
    }

    /// Deletes a package; durable when it returns.
    pub fn delete(&self, name: &PackageName) -> Result<()> {
        let lock = self.lock.acquire()?;
        let mut change = self.cache.begin(&lock, false)?;
        removal::delete(&mut change, name)?;
        change.commit();
        Ok(())
    }

    /// Bytes that can still be written.
    pub fn free_bytes(&self) -> Result<u64> {
        Directory::open(&self.path)?.free_bytes()
    }

    /// Whether so many bytes would fit now.
    pub fn check_space(&self, bytes: u64) -> Result<()> {
        if bytes > self.free_bytes()? {
            return Err(failed("make room for an upload in", &self.path)(
                Errno::NOSPC,
            ));
        }
        Ok(())
    }

    /// Whether the directory can be listed and written, a full disk aside.
    pub fn check_ready(&self) -> Result<()> {
        let directory = Directory::open(&self.path)?;
        if let Some(entry) = directory.entries()?.next() {
            entry.map_err(failed("list the directory", &self.path))?;
        }
        let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&directory, ".", access, rustix::fs::AtFlags::empty())
            .map_err(failed("write to the directory", &self.path))
    }
}
