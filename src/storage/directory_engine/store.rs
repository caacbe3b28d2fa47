//! The packages of one directory.
//!
//! Invariant: the parts below (cache, lock, uploads, downloads) know only each other's interfaces;
//! this module alone puts them together.

use super::cache::ListingCache;
use super::changes::ChangeQueue;
use super::group::Parts;
use super::maintenance;
use super::missing_checksums::MissingChecksums;
use super::open;
use super::owed::OwedSidecars;
use crate::clock::Clock;
use crate::disk_gate::{DiskGate, Inside};
use crate::storage::background::Background;
use crate::storage::change::{Delete, Publish, Requirement};
use crate::storage::content::{self, Content};
use crate::storage::directory::{self, Directory, Entry};
use crate::storage::error::{Result, StorageError, errno, failed};
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::open::{OpenPackage, Source};
use crate::storage::package::Package;
use crate::storage::retention::Retention;
use crate::storage::store::Store;
use crate::storage::temporary::TemporaryFile;
use crate::storage::upload::{CompleteUpload, PendingUpload};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The packages of one directory.
#[derive(Debug)]
pub struct DirectoryStore {
    path: PathBuf,
    clock: Clock,
    changes: Arc<ChangeQueue>,
    cache: Arc<ListingCache>,
    owed: Arc<OwedSidecars>,
    gate: Arc<DiskGate>,
}

impl DirectoryStore {
    /// Opens the directory and creates it where it is missing.
    pub fn open(
        path: &Path,
        retention: Retention,
        workers: usize,
        clock: Clock,
    ) -> std::io::Result<Self> {
        directory::create_durably(path)?;
        TemporaryFile::check_support(path)?;
        let cache = Arc::new(ListingCache::new(path.to_owned(), clock.clone()));
        let owed = Arc::<OwedSidecars>::default();
        let parts = Parts {
            retention,
            cache: Arc::clone(&cache),
            owed: Arc::clone(&owed),
        };
        Ok(Self {
            changes: Arc::new(ChangeQueue::start(path, parts)?),
            path: path.to_owned(),
            gate: Arc::new(DiskGate::new(workers, clock.clone())),
            clock,
            cache,
            owed,
        })
    }

    /// The way to the disk, for a call that a worker waits for.
    fn disk(&self) -> Result<Inside<'_>> {
        let inside = self.gate.enter_or_put_off();
        inside.ok_or(StorageError::DiskHangs)
    }
}

impl Store for DirectoryStore {
    fn start_maintenance(&self) -> std::io::Result<Background> {
        let parts = MissingChecksums {
            path: self.path.clone(),
            clock: self.clock.clone(),
            changes: Arc::clone(&self.changes),
            cache: Arc::clone(&self.cache),
            owed: Arc::clone(&self.owed),
        };
        let mut background = Background::default();
        let maintain = move |stopped: &AtomicBool| maintenance::run(&parts, stopped);
        background.spawn("maintenance", maintain, || {})?;
        Ok(background)
    }

    fn gate(&self) -> &Arc<DiskGate> {
        &self.gate
    }

    fn listing(&self) -> Result<Arc<Listing>> {
        match self.disk() {
            Ok(_inside) => self.cache.current(),
            Err(error) => self.cache.loaded().ok_or(error),
        }
    }

    fn last_listing(&self) -> Arc<Listing> {
        self.cache.last()
    }

    fn open_package(&self, name: &PackageName) -> Result<OpenPackage> {
        let _inside = self.disk()?;
        open::open(&self.path, &self.cache, name)
    }

    fn step_file(&self, package: &Package, path: &str) -> Result<Option<Vec<u8>>> {
        let open = self.open_package(&package.name)?;
        if open.state != package.state {
            return Ok(None);
        }
        let _inside = self.disk()?;
        let Source::File(file) = &open.source else {
            return Ok(None);
        };
        content::step_file(file, path)
            .map_err(|error| failed("read", self.path.join(package.name.as_str()))(errno(&error)))
    }

    fn begin_upload(&self) -> Result<PendingUpload> {
        let _inside = self.disk()?;
        PendingUpload::new(&self.path)
    }

    fn check_publish(&self, name: &PackageName, requirement: &Requirement) -> Result<()> {
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

    fn publish(&self, upload: CompleteUpload, publish: Publish) {
        self.changes.publish(publish, upload);
    }

    fn delete(&self, delete: Delete) {
        self.changes.delete(delete);
    }

    fn free_bytes(&self) -> Result<Option<u64>> {
        let _inside = self.disk()?;
        Directory::open(&self.path)?.free_bytes()
    }

    fn check_room(&self, bytes: u64) -> Result<()> {
        self.changes.check_room(bytes)?;
        let _inside = self.disk()?;
        Directory::open(&self.path)?.check_room(bytes)
    }

    fn check_ready(&self) -> Result<()> {
        let _inside = self.disk()?;
        let directory = Directory::open(&self.path)?;
        if let Some(entry) = directory.entries()?.next() {
            entry.map_err(failed("list the directory", &self.path))?;
        }
        directory.check_access()
    }
}
