//! The cached listing: when it still holds, when the directory is read again, how changes of this process enter it.
//!
//! Invariants:
//! - Readers share one listing; only one of them reads the directory at a time, the others go on with what there is.
//! - The directory is read again only when its modification time changed, or may have without showing it: a time that
//!   is younger than the file system's clock ticks is doubted.
//! - A change of this process is in the listing before its answer, without reading the directory.
//! - After a change that someone else made, every file is asked for its state: a name that was replaced twice may have
//!   the inode again that it had.
//!
//! Lock order: the directory's lock, then `refresh`, then `known`. `known` is never held across a system call.

use super::directory::Directory;
use super::error::Result;
use super::listing::{Listing, Package};
use super::lock::DirLock;
use super::name::PackageName;
use super::scan::{self, Depth, Warned};
use crate::clock::{self, Clock};
use crate::limits::{LISTING_FRESH_TIME, LISTING_RECHECK_INTERVAL, TIMESTAMP_DOUBT_TIME};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant, SystemTime};

/// The listing of one directory, kept.
#[derive(Debug)]
pub struct ListingCache {
    path: PathBuf,
    clock: Clock,
    known: Mutex<Known>,
    refresh: Mutex<()>,
    warned: Warned,
}

#[derive(Clone, Debug)]
struct Known {
    listing: Arc<Listing>,
    /// Inode and modification time of the directory that was read; `None` before the first reading.
    directory: Option<(u64, SystemTime)>,
    /// The directory may have changed since without its time having changed.
    doubtful: bool,
    asked_at: Instant,
    rechecked_at: Instant,
    /// How long the last look at every file took.
    recheck_took: Duration,
}

impl ListingCache {
    /// An empty cache for the directory at `path`.
    pub fn new(path: PathBuf, clock: Clock) -> Self {
        let now = clock.now();
        Self {
            path,
            clock,
            known: Mutex::new(Known {
                listing: Arc::default(),
                directory: None,
                doubtful: true,
                asked_at: now,
                rechecked_at: now,
                recheck_took: Duration::ZERO,
            }),
            refresh: Mutex::new(()),
            warned: Warned::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The listing as it was last seen, without asking the directory.
    pub fn last(&self) -> Arc<Listing> {
        Arc::clone(&self.known().listing)
    }

    /// The listing as it is now, or was within [`LISTING_FRESH_TIME`].
    pub fn current(&self) -> Result<Arc<Listing>> {
        let loaded = {
            let known = self.known();
            if known.directory.is_some()
                && self.clock.now().duration_since(known.asked_at) < LISTING_FRESH_TIME
            {
                return Ok(Arc::clone(&known.listing));
            }
            known.directory.is_some()
        };
        let _refreshing = match self.refresh.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Someone else is reading the directory.
            Err(TryLockError::WouldBlock) if loaded => return Ok(self.last()),
            Err(TryLockError::WouldBlock) => {
                self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        let directory = Directory::open(&self.path).inspect_err(|_| self.forget())?;
        self.ask(&directory)
    }

    /// After the directory could not be opened: what was known of it says nothing about what comes back.
    fn forget(&self) {
        self.known().directory = None;
    }

    /// Asks the directory whether it changed, and reads it where it did. Needs `refresh`.
    fn ask(&self, directory: &Directory) -> Result<Arc<Listing>> {
        let version = directory.version()?;
        let depth = {
            let mut known = self.known();
            let is_known = known.directory == Some(version);
            if is_known && !known.doubtful {
                known.asked_at = self.clock.now();
                return Ok(Arc::clone(&known.listing));
            }
            if is_known {
                Depth::Names
            } else {
                Depth::States
            }
        };
        self.read(directory, version, depth)
    }

    /// Reads the directory. Needs `refresh`.
    fn read(
        &self,
        directory: &Directory,
        version: (u64, SystemTime),
        depth: Depth,
    ) -> Result<Arc<Listing>> {
        let before = self.last();
        let doubtful = is_doubtful(version.1);
        let packages = scan::scan(directory, &before, depth, &self.warned)?;
        let read = Listing::new(packages, before.version + 1);
        let mut known = self.known();
        if !read.is_same(&before) {
            known.listing = Arc::new(read);
        }
        known.directory = Some(version);
        known.doubtful = doubtful;
        known.asked_at = self.clock.now();
        Ok(Arc::clone(&known.listing))
    }

    /// Whether it is time to look at every file again.
    pub fn wants_recheck(&self) -> bool {
        let known = self.known();
        let interval = LISTING_RECHECK_INTERVAL.max(known.recheck_took * 20);
        // Nobody asked since: nobody would see it.
        known.asked_at > known.rechecked_at
            && self.clock.now().duration_since(known.rechecked_at) >= interval
    }

    /// Looks at every file, for edits in place, which leave the directory as it is.
    pub fn recheck(&self) -> Result<()> {
        let _refreshing = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        let started = self.clock.now();
        let directory = Directory::open(&self.path).inspect_err(|_| self.forget())?;
        self.read(&directory, directory.version()?, Depth::States)?;
        let mut known = self.known();
        let now = self.clock.now();
        known.rechecked_at = now;
        known.recheck_took = now.duration_since(started);
        Ok(())
    }

    /// Begins a change of the directory: the listing is brought up to date and stays so until the change is committed.
    pub fn begin<'c>(&'c self, lock: &'c DirLock) -> Result<Change<'c>> {
        let refreshing = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        let listing = self.ask(lock.directory())?;
        Ok(Change {
            cache: self,
            lock,
            listing,
            gone: HashSet::new(),
            come: Vec::new(),
            _refreshing: refreshing,
        })
    }

    /// Enters checksums that were computed. Those of packages that have changed since are left out.
    pub fn add_checksums(&self, healed: &[Package]) {
        let _refreshing = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.known();
        let still_so = |package: &&Package| {
            let listed = known.listing.get(package.name.as_str());
            listed.is_some_and(|listed| listed.state == package.state)
        };
        let come: Vec<_> = healed
            .iter()
            .filter(still_so)
            .cloned()
            .map(Arc::new)
            .collect();
        let version = known.listing.version + 1;
        known.listing = Arc::new(known.listing.changed(&HashSet::new(), &come, version));
    }
}

/// Whether a file system's clock could give a later change the same time. A time in the future says nothing at all.
fn is_doubtful(modified: SystemTime) -> bool {
    clock::wall_now()
        .duration_since(modified)
        .map_or(true, |age| age < TIMESTAMP_DOUBT_TIME)
}

/// A change of the directory by this process, under its lock. Dropped without a commit, it makes the listing read the
/// directory again.
pub struct Change<'c> {
    cache: &'c ListingCache,
    lock: &'c DirLock,
    listing: Arc<Listing>,
    gone: HashSet<PackageName>,
    come: Vec<Arc<Package>>,
    _refreshing: MutexGuard<'c, ()>,
}

impl Change<'_> {
    /// The lock that the change is made under.
    pub fn lock(&self) -> &DirLock {
        self.lock
    }

    /// The packages before the change.
    pub fn before(&self) -> &Listing {
        &self.listing
    }

    /// A package came, or replaced the one of its name.
    pub fn came(&mut self, package: Arc<Package>) {
        self.come.push(package);
    }

    /// A package went.
    pub fn went(&mut self, name: PackageName) {
        self.gone.insert(name);
    }

    /// Enters the change into the listing.
    pub fn commit(mut self) -> Result<()> {
        let version = self.lock.directory().version()?;
        let (gone, come) = (
            std::mem::take(&mut self.gone),
            std::mem::take(&mut self.come),
        );
        let listing = self.listing.changed(&gone, &come, self.listing.version + 1);
        let mut known = self.cache.known();
        known.listing = Arc::new(listing);
        known.directory = Some(version);
        known.doubtful = true;
        Ok(())
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if !self.gone.is_empty() || !self.come.is_empty() {
            self.cache.forget();
        }
    }
}
