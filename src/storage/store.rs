//! The store: what the application asks of the packages in one directory.
//!
//! Invariant: the parts below (cache, lock, uploads, downloads) know only each other's interfaces;
//! this module alone puts them together.

use super::cache::ListingCache;
use super::change::{Delete, Publish, Requirement};
use super::changes::ChangeQueue;
use super::content::{self, Content};
use super::directory::{Directory, Entry};
use super::error::{Result, StorageError, errno, failed};
use super::group::Parts;
use super::listing::Listing;
use super::maintenance::Maintenance;
use super::missing_checksums::MissingChecksums;
use super::name::PackageName;
use super::open::{self, OpenPackage};
use super::owed::OwedSidecars;
use super::package::Package;
use super::retention::Retention;
use super::temporary::TemporaryFile;
use super::upload::{CompleteUpload, PendingUpload};
use crate::clock::Clock;
use crate::disk_gate::{DiskGate, Inside};
use crate::limits::SYNC_THREADS_MAX;
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
    clock: Clock,
    changes: Arc<ChangeQueue>,
    cache: Arc<ListingCache>,
    owed: Arc<OwedSidecars>,
    gate: Arc<DiskGate>,
}

impl Store {
    /// Opens the directory and creates it where it is missing. `workers`: the threads that call the
    /// store.
    pub fn open(
        path: &Path,
        retention: Retention,
        workers: usize,
        clock: Clock,
    ) -> std::io::Result<Arc<Self>> {
        create_durably(path)?;
        TemporaryFile::check_support(path)?;
        let cache = Arc::new(ListingCache::new(path.to_owned(), clock.clone()));
        let owed = Arc::<OwedSidecars>::default();
        let parts = Parts {
            retention,
            cache: Arc::clone(&cache),
            owed: Arc::clone(&owed),
        };
        Ok(Arc::new(Self {
            changes: Arc::new(ChangeQueue::start(
                path,
                parts,
                workers.min(SYNC_THREADS_MAX),
            )?),
            path: path.to_owned(),
            gate: Arc::new(DiskGate::new(workers, clock.clone())),
            clock,
            cache,
            owed,
        }))
    }

    /// Starts the thread that maintains the directory; it ends when the result is dropped.
    pub fn start_maintenance(&self) -> std::io::Result<Maintenance> {
        Maintenance::start(MissingChecksums {
            path: self.path.clone(),
            clock: self.clock.clone(),
            changes: Arc::clone(&self.changes),
            cache: Arc::clone(&self.cache),
            owed: Arc::clone(&self.owed),
        })
    }

    /// The bound on workers that wait for the disk of this store.
    pub fn gate(&self) -> &Arc<DiskGate> {
        &self.gate
    }

    /// The way to the disk, for a call that a worker waits for.
    fn disk(&self) -> Result<Inside<'_>> {
        self.gate.enter().ok_or(StorageError::DiskHangs)
    }

    /// All packages, newest first. While the disk hangs, as they were last listed.
    pub fn listing(&self) -> Result<Arc<Listing>> {
        match self.disk() {
            Ok(_inside) => self.cache.current(),
            Err(error) => self.cache.loaded().ok_or(error),
        }
    }

    /// The listing of the last reading, without a system call.
    pub fn last_listing(&self) -> Arc<Listing> {
        self.cache.last()
    }

    /// Opens a package for a download.
    pub fn open_package(&self, name: &PackageName) -> Result<OpenPackage> {
        let _inside = self.disk()?;
        open::open(&self.path, &self.cache.last(), name)
    }

    /// The content of one file of a step package, which must be in its listed state; `None` where
    /// there is no such file.
    pub fn step_file(&self, package: &Package, path: &str) -> Result<Option<Vec<u8>>> {
        let open = self.open_package(&package.name)?;
        if open.state != package.state {
            return Ok(None);
        }
        let _inside = self.disk()?;
        content::step_file(&open.file, path)
            .map_err(|error| failed("read", self.path.join(package.name.as_str()))(errno(&error)))
    }

    pub fn begin_upload(&self) -> Result<PendingUpload> {
        let _inside = self.disk()?;
        PendingUpload::new(&self.path)
    }

    /// Whether a publish under this name would be refused now. The publish itself decides,
    /// atomically; this check spares the client sending a body in vain.
    pub fn check_publish(&self, name: &PackageName, requirement: &Requirement) -> Result<()> {
        let _inside = self.disk()?;
        let directory = Directory::open(&self.path)?;
        let current = match directory.entry(name.as_str())? {
            None => None,
            Some(Entry::Other) => return Err(StorageError::Occupied),
            Some(Entry::File(state)) => Some(Package {
                name: name.clone(),
                state,
                sha256: open::checksum(&directory, &self.cache.last(), name, &state),
                content: Content::Unread,
            }),
        };
        requirement.check(current.as_ref())
    }

    /// Publishes a complete upload. The package is durable when `done` gets the result.
    pub fn publish(&self, upload: CompleteUpload, publish: Publish) {
        self.changes.publish(publish, upload);
    }

    /// Deletes a package, durably when `done` gets the result.
    pub fn delete(&self, delete: Delete) {
        self.changes.delete(delete);
    }

    /// Bytes that can still be written; `None` where the file system does not report its space.
    pub fn free_bytes(&self) -> Result<Option<u64>> {
        let _inside = self.disk()?;
        Directory::open(&self.path)?.free_bytes()
    }

    /// Refuses an upload of so many bytes where there is no room for it now: on the disk, or in the
    /// queue of changes.
    pub fn check_room(&self, bytes: u64) -> Result<()> {
        self.changes.check_room(bytes)?;
        match self.free_bytes()? {
            Some(free_bytes) if bytes > free_bytes => {
                let full = failed("make room for an upload in", &self.path);
                Err(full(Errno::NOSPC))
            }
            _ => Ok(()),
        }
    }

    /// Whether the directory can be listed and written. A full disk does not count.
    pub fn check_ready(&self) -> Result<()> {
        let _inside = self.disk()?;
        let directory = Directory::open(&self.path)?;
        if let Some(entry) = directory.entries()?.next() {
            entry.map_err(failed("list the directory", &self.path))?;
        }
        let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&directory, ".", access, rustix::fs::AtFlags::empty())
            .map_err(failed("write to the directory", &self.path))
    }
}
