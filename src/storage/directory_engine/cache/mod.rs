//! The cached listing: when it is valid, when the directory is reread, and how changes of this
//! process enter it.
//!
//! Invariants:
//! - Readers share one listing. One reader at a time rereads the directory.
//! - Every request for the listing compares the generation: a change that any server on the volume
//!   has answered is in it. The directory's modification time shows the changes of other programs;
//!   it is read less often. A time that is younger than a tick of the file system's clock may hide
//!   a change; the maintenance thread rereads the directory then, and readers do not wait.
//! - A change of this process is in the listing before its answer, without rereading the directory,
//!   and no reader waits while it is made.
//!
//! Lock order: the directory's lock, then `refresh`, then `known`. `known` is never held across a
//! system call, nor while a listing is made or dropped.

mod change;

pub use change::Change;

use super::generation::{self, Generation};
use super::lock::DirLock;
use super::open_files::OpenFiles;
use super::scan::{self, Warned};
use crate::clock::{self, Clock};
use crate::limits::{LISTING_FRESH_TIME, LISTING_RECHECK_INTERVAL, TIMESTAMP_DOUBT_TIME};
use crate::storage::content::Content;
use crate::storage::directory::Directory;
use crate::storage::error::{Result, StorageError};
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::Thread;
use std::time::{Duration, Instant, SystemTime};

#[derive(Debug)]
pub struct ListingCache {
    path: PathBuf,
    generation_path: PathBuf,
    clock: Clock,
    known: Mutex<Known>,
    refresh: Mutex<()>,
    warned: Warned,
    open_files: OpenFiles,
    maintenance: OnceLock<Thread>,
}

#[derive(Clone, Debug)]
struct Known {
    listing: Arc<Listing>,
    /// Inode and modification time of the directory when it was read; `None` before that.
    directory: Option<(u64, SystemTime)>,
    generation: Generation,
    /// This process is changing the directory, so its time says nothing.
    is_changing: bool,
    /// Since when the directory may have a change that its modification time does not show.
    doubted_since: Option<Instant>,
    asked_at: Instant,
    read_at: Instant,
    read_took: Duration,
}

impl Known {
    /// Whether a doubt is old enough for a reading to settle it. Readings are spaced out where they
    /// take long.
    fn wants_reading(&self, now: Instant) -> bool {
        let wait = TIMESTAMP_DOUBT_TIME.max(self.read_took * REST_FACTOR);
        self.doubted_since
            .is_some_and(|since| now.duration_since(since) >= wait)
    }

    /// Whether to look for files edited in place, which the directory's time does not show.
    fn wants_recheck(&self, now: Instant) -> bool {
        let interval = LISTING_RECHECK_INTERVAL.max(self.read_took * REST_FACTOR);
        // Without a request since the last reading, nobody would see the result.
        self.asked_at > self.read_at && now.duration_since(self.read_at) >= interval
    }
}

/// After a reading, the maintenance thread rests this many times as long: it uses at most a
/// twentieth of one core.
const REST_FACTOR: u32 = 20;

impl ListingCache {
    pub fn new(path: PathBuf, clock: Clock) -> Self {
        let now = clock.now();
        Self {
            generation_path: generation::path_in(&path),
            path,
            clock,
            known: Mutex::new(Known {
                listing: Arc::default(),
                directory: None,
                generation: Generation::default(),
                is_changing: false,
                doubted_since: None,
                asked_at: now,
                read_at: now,
                read_took: Duration::ZERO,
            }),
            refresh: Mutex::new(()),
            warned: Warned::default(),
            open_files: OpenFiles::default(),
            maintenance: OnceLock::new(),
        }
    }

    /// Sets the thread to wake when [`ListingCache::maintain`] has work to do.
    pub fn is_maintained_by(&self, thread: Thread) {
        let _ = self.maintenance.set(thread);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn open_files(&self) -> &OpenFiles {
        &self.open_files
    }

    /// The listing of the last reading, without a system call.
    pub fn last(&self) -> Arc<Listing> {
        Arc::clone(&self.known().listing)
    }

    /// The listing of the last reading, if there was one, without a system call.
    pub fn loaded(&self) -> Option<Arc<Listing>> {
        let known = self.known();
        let is_loaded = known.directory.is_some();
        is_loaded.then(|| Arc::clone(&known.listing))
    }

    /// The listing as of now. Changes by programs other than servers may be missing for
    /// [`LISTING_FRESH_TIME`].
    pub fn current(&self) -> Result<Arc<Listing>> {
        let generation = generation::read(&self.generation_path)?;
        let is_current = {
            let known = self.known();
            let is_current = known.directory.is_some() && known.generation == generation;
            let age = self.clock.now().duration_since(known.asked_at);
            if is_current && (known.is_changing || age < LISTING_FRESH_TIME) {
                return Ok(Arc::clone(&known.listing));
            }
            is_current
        };
        let _refreshing = match self.refresh.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another thread is reading the directory.
            Err(TryLockError::WouldBlock) if is_current => return Ok(self.last()),
            Err(TryLockError::WouldBlock) => self.refresh(),
        };
        let directory = Directory::open(&self.path).inspect_err(|_| self.forget())?;
        self.ask(&directory)
    }

    /// Makes the next reader reread the directory.
    fn forget(&self) {
        self.known().directory = None;
    }

    /// Rereads the directory if its generation or time changed. The caller holds `refresh`.
    fn ask(&self, directory: &Directory) -> Result<Arc<Listing>> {
        let generation = generation::of(directory)?;
        let version = directory.version()?;
        {
            let mut known = self.known();
            if known.directory == Some(version) && known.generation == generation {
                known.asked_at = self.clock.now();
                if known.wants_reading(known.asked_at)
                    && let Some(thread) = self.maintenance.get()
                {
                    thread.unpark();
                }
                return Ok(Arc::clone(&known.listing));
            }
        }
        let listing = self.read(directory, generation, version)?;
        self.known().asked_at = self.clock.now();
        Ok(listing)
    }

    /// Rereads the directory, whose generation and time were read before. The caller holds
    /// `refresh`.
    fn read(
        &self,
        directory: &Directory,
        generation: Generation,
        version: (u64, SystemTime),
    ) -> Result<Arc<Listing>> {
        let before = self.last();
        let started = self.clock.now();
        let doubtful = is_doubtful(version.1);
        let unreadable: &mut dyn FnMut(&PackageName, StorageError) =
            &mut |name, error| self.warned.about_unreadable(name, &error);
        let read = match scan::scan(directory, &before, &self.warned, unreadable)? {
            None => before,
            Some(packages) => {
                let is_unread = |package: &Arc<Package>| package.content == Content::Unread;
                if packages.iter().any(is_unread)
                    && let Some(thread) = self.maintenance.get()
                {
                    thread.unpark();
                }
                Arc::new(Listing::new(packages, before.version + 1))
            }
        };
        log::debug!(
            packages = read.packages().len(), thread = std::thread::current().name();
            "the directory was read"
        );
        let mut known = self.known();
        known.directory = Some(version);
        known.generation = generation;
        known.doubted_since = doubtful.then_some(started);
        known.read_at = self.clock.now();
        known.read_took = known.read_at.duration_since(started);
        Ok(enter(known, read))
    }

    /// Rereads the directory where there is doubt or an edit in place may be found, and closes
    /// files that other programs may have removed.
    pub fn maintain(&self, directory: &Directory) -> Result<()> {
        self.open_files.close_all();
        let (now, known) = (self.clock.now(), self.known());
        let is_due = known.wants_reading(now) || known.wants_recheck(now);
        let is_due = is_due && !known.is_changing;
        drop(known);
        if is_due {
            let _refreshing = self.refresh();
            self.read(directory, generation::of(directory)?, directory.version()?)?;
        }
        Ok(())
    }

    /// Begins a change of the directory: brings the listing up to date. Readers get this listing
    /// until the change is committed.
    pub fn begin<'c>(&'c self, lock: &'c DirLock) -> Result<Change<'c>> {
        let _refreshing = self.refresh();
        let listing = self.ask(lock.directory())?;
        self.known().is_changing = true;
        Ok(Change::new(self, lock, listing))
    }

    fn refresh(&self) -> MutexGuard<'_, ()> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change that no listing shows, such as a new sidecar. Readers do not reread the
    /// directory for it.
    pub fn unlisted<T>(&self, lock: &DirLock, change: impl FnOnce() -> Result<T>) -> Result<T> {
        let _refreshing = self.refresh();
        let before = lock.directory().version()?;
        let changed = change();
        let after = lock.directory().version()?;
        let mut known = self.known();
        if known.directory == Some(before) {
            self.now_is(&mut known, after);
        }
        changed
    }

    /// Records a change of this process. Another process may have changed the directory within the
    /// same tick of the clock, so a doubt begins.
    fn now_is(&self, known: &mut Known, version: (u64, SystemTime)) {
        known.directory = Some(version);
        known.doubted_since.get_or_insert(self.clock.now());
    }

    /// Enters checksums and contents that were found out later, except those of packages that have
    /// changed since.
    pub fn add_findings(&self, found: &[Package]) {
        let _refreshing = self.refresh();
        let listing = self.last();
        let added: Vec<_> = found
            .iter()
            .filter_map(|found| {
                let listed = listing.get(found.name.as_str())?;
                (listed.state == found.state).then(|| Arc::new(found.or(listed)))
            })
            .collect();
        let listing = listing.changed(&[], &added, listing.version + 1);
        enter(self.known(), Arc::new(listing));
    }
}

/// Makes this the current listing and drops the old one without a lock held. The caller holds
/// `refresh`.
fn enter(mut known: MutexGuard<'_, Known>, listing: Arc<Listing>) -> Arc<Listing> {
    let before = std::mem::replace(&mut known.listing, Arc::clone(&listing));
    drop(known);
    drop(before);
    listing
}

/// Whether a later change could get the same time from the file system's clock. A time in the
/// future proves nothing.
pub fn is_doubtful(modified: SystemTime) -> bool {
    clock::wall_now()
        .duration_since(modified)
        .map_or(true, |age| age < TIMESTAMP_DOUBT_TIME)
}
