//! The store: what the application asks of the packages in one directory.
//!
//! Invariant: the parts below (cache, lock, uploads, downloads) know only each other's interfaces;
//! this module alone puts them together.

use super::cache::ListingCache;
use super::directory::{Directory, Entry};
use super::error::{Result, StorageError, failed};
use super::listing::Listing;
use super::lock::LockKeeper;
use super::maintenance::Maintenance;
use super::missing_checksums::{MissingChecksums, OwedSidecars};
use super::name::PackageName;
use super::open::{self, OpenPackage};
use super::removal;
use super::retention::Retention;
use super::upload::{CompleteUpload, PendingUpload, Published, Publisher};
use crate::clock::Clock;
use rustix::fs::Access;
use rustix::io::Errno;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Creates the directory and its missing parents. Each is synced into its parent: packages are
/// only as durable as the path that leads to them.
fn create_durably(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    create_durably(parent)?;
    match std::fs::create_dir(path) {
        // Another server created it at the same time.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        created => created?,
    }
    std::fs::File::open(parent)?.sync_all()
}

/// The packages of one directory.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    retention: Retention,
    clock: Clock,
    lock: Arc<LockKeeper>,
    cache: Arc<ListingCache>,
    owed: Arc<OwedSidecars>,
}

impl Store {
    /// Opens the directory and creates it where it is missing.
    pub fn open(path: &Path, retention: Retention, clock: Clock) -> std::io::Result<Arc<Self>> {
        create_durably(path)?;
        Ok(Arc::new(Self {
            lock: Arc::new(LockKeeper::start(path)?),
            cache: Arc::new(ListingCache::new(path.to_owned(), clock.clone())),
            path: path.to_owned(),
            retention,
            clock,
            owed: Arc::default(),
        }))
    }

    /// Starts the thread that maintains the directory; it ends when the result is dropped.
    pub fn start_maintenance(&self) -> std::io::Result<Maintenance> {
        Maintenance::start(MissingChecksums {
            path: self.path.clone(),
            clock: self.clock.clone(),
            lock: Arc::clone(&self.lock),
            cache: Arc::clone(&self.cache),
            owed: Arc::clone(&self.owed),
        })
    }

    /// All packages, newest first.
    pub fn listing(&self) -> Result<Arc<Listing>> {
        self.cache.current()
    }

    /// Opens a package for a download.
    pub fn open_package(&self, name: &PackageName) -> Result<OpenPackage> {
        open::open(&self.path, &self.cache.last(), name)
    }

    pub fn begin_upload(&self) -> Result<PendingUpload> {
        PendingUpload::new(&self.path)
    }

    /// Whether a publish under this name would be refused now. The publish itself decides,
    /// atomically; this check spares the client sending a body in vain.
    pub fn check_name_is_free(&self, name: &PackageName, overwrite: bool) -> Result<()> {
        match Directory::open(&self.path)?.entry(name.as_str())? {
            None => Ok(()),
            Some(Entry::File(_)) if overwrite => Ok(()),
            Some(entry) => Err(self.taken(name, entry)),
        }
    }

    fn taken(&self, name: &PackageName, entry: Entry) -> StorageError {
        open::taken(&self.path, &self.cache.last(), name, entry)
    }

    /// Publishes a complete upload; durable on return.
    pub fn publish(
        &self,
        upload: CompleteUpload,
        name: &PackageName,
        overwrite: bool,
    ) -> Result<Published> {
        let publisher = Publisher {
            path: &self.path,
            retention: &self.retention,
            lock: &self.lock,
            cache: &self.cache,
            owed: &self.owed,
        };
        publisher.publish(upload, name, overwrite)
    }

    /// Deletes a package; durable on return.
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

    /// Refuses an upload of so many bytes where they would not fit now.
    pub fn check_space(&self, bytes: u64) -> Result<()> {
        if bytes > self.free_bytes()? {
            return Err(failed("make room for an upload in", &self.path)(
                Errno::NOSPC,
            ));
        }
        Ok(())
    }

    /// Whether the directory can be listed and written. A full disk does not count.
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
