//! The cached listing: when it still holds, when the directory is read again, how changes of this process enter it.
//!
//! Invariants:
//! - Readers share one listing; only one of them reads the directory at a time, the others go on with what there is.
//! - A reader reads the directory only when its modification time changed by somebody else's doing. Where it may have
//!   changed without showing it (a time younger than the file system's clock ticks is doubted), the maintenance thread
//!   reads it again, and readers go on.
//! - A change of this process is in the listing before its answer, without reading the directory.
//!
//! Lock order: the directory's lock, then `refresh`, then `known`. `known` is never held across a system call, nor while
//! a listing is made or dropped.

use super::directory::Directory;
use super::error::Result;
use super::listing::{Listing, Package};
use super::lock::DirLock;
use super::name::PackageName;
use super::scan::{self, Warned};
use crate::clock::{self, Clock};
use crate::limits::{LISTING_FRESH_TIME, LISTING_RECHECK_INTERVAL, TIMESTAMP_DOUBT_TIME};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::Thread;
use std::time::{Duration, Instant, SystemTime};

/// The listing of one directory, kept.
#[derive(Debug)]
pub struct ListingCache {
    path: PathBuf,
    clock: Clock,
    known: Mutex<Known>,
    refresh: Mutex<()>,
    warned: Warned,
    maintenance: OnceLock<Thread>,
}

#[derive(Clone, Debug)]
struct Known {
    listing: Arc<Listing>,
    /// Inode and modification time of the directory that was read; `None` before the first reading.
    directory: Option<(u64, SystemTime)>,
    /// Since when the directory may hold a change that its time does not show.
    doubted_since: Option<Instant>,
    asked_at: Instant,
    read_at: Instant,
    /// How long the last reading took.
    read_took: Duration,
}

impl Known {
    /// Whether what is doubted is old enough for a reading to be sure, and reading does not take all the time there is.
    fn wants_reading(&self, now: Instant) -> bool {
        let wait = TIMESTAMP_DOUBT_TIME.max(self.read_took * REST_FACTOR);
        self.doubted_since
            .is_some_and(|since| now.duration_since(since) >= wait)
    }

    /// Whether it is time to look for edits in place, which leave the directory as it is.
    fn wants_recheck(&self, now: Instant) -> bool {
        let interval = LISTING_RECHECK_INTERVAL.max(self.read_took * REST_FACTOR);
        // Nobody asked since: nobody would see it.
        self.asked_at > self.read_at && now.duration_since(self.read_at) >= interval
    }
}

/// How much longer than a reading took the maintenance thread rests before the next: a twentieth of one core.
const REST_FACTOR: u32 = 20;

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
                doubted_since: None,
                asked_at: now,
                read_at: now,
                read_took: Duration::ZERO,
            }),
            refresh: Mutex::new(()),
            warned: Warned::default(),
            maintenance: OnceLock::new(),
        }
    }

    /// The thread that is woken when [`ListingCache::maintain`] has something to do.
    pub fn is_maintained_by(&self, thread: Thread) {
        let _ = self.maintenance.set(thread);
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
        self.ask(&directory, false)
    }

    /// After the directory could not be opened: what was known of it says nothing about what comes back.
    fn forget(&self) {
        self.known().directory = None;
    }

    /// Asks the directory whether it changed, and reads it where it did; where it may have without showing it, only if the
    /// answer has to be exact. Needs `refresh`.
    fn ask(&self, directory: &Directory, exactly: bool) -> Result<Arc<Listing>> {
        let version = directory.version()?;
        {
            let mut known = self.known();
            let certain = known.doubted_since.is_none() || !exactly;
            if known.directory == Some(version) && certain {
                known.asked_at = self.clock.now();
                if known.wants_reading(known.asked_at)
                    && let Some(thread) = self.maintenance.get()
                {
                    thread.unpark();
                }
                return Ok(Arc::clone(&known.listing));
            }
        }
        let listing = self.read(directory, version)?;
        self.known().asked_at = self.clock.now();
        Ok(listing)
    }

    /// Reads the directory. Needs `refresh`.
    fn read(&self, directory: &Directory, version: (u64, SystemTime)) -> Result<Arc<Listing>> {
        let before = self.last();
        let started = self.clock.now();
        let doubtful = is_doubtful(version.1);
        let read = match scan::scan(directory, &before, &self.warned)? {
            None => before,
            Some(packages) => Arc::new(Listing::new(packages, before.version + 1)),
        };
        log::debug!(
            packages = read.packages().len(), thread = std::thread::current().name();
            "the directory was read"
        );
        let mut known = self.known();
        known.directory = Some(version);
        known.doubted_since = doubtful.then_some(started);
        known.read_at = self.clock.now();
        known.read_took = known.read_at.duration_since(started);
        Ok(enter(known, read))
    }

    /// What readers need not wait for: reads the directory where there is doubt, or where it is time to.
    pub fn maintain(&self, directory: &Directory) -> Result<()> {
        let (now, known) = (self.clock.now(), self.known());
        let is_due = known.wants_reading(now) || known.wants_recheck(now);
        drop(known);
        if is_due {
            let _refreshing = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
            self.read(directory, directory.version()?)?;
        }
        Ok(())
    }

    /// Begins a change of the directory: the listing is brought up to date and stays so until the change is committed.
    /// Who counts the packages needs it exactly.
    pub fn begin<'c>(&'c self, lock: &'c DirLock, exactly: bool) -> Result<Change<'c>> {
        let refreshing = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        let listing = self.ask(lock.directory(), exactly)?;
        Ok(Change {
            cache: self,
            lock,
            listing,
            gone: Vec::new(),
            come: Vec::new(),
            is_open: false,
            _refreshing: refreshing,
        })
    }

    /// Makes a change that no listing shows, such as a new sidecar: it does not make readers read the directory.
    pub fn unlisted<T>(&self, lock: &DirLock, change: impl FnOnce() -> Result<T>) -> Result<T> {
        let _refreshing = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lock.directory().version()?;
        let changed = change();
        let after = lock.directory().version()?;
        let mut known = self.known();
        if known.directory == Some(before) {
            self.now_is(&mut known, after);
        }
        changed
    }

    /// The directory changed by this process's doing. By another's within the same tick of the clock, too, for all that
    /// is known.
    fn now_is(&self, known: &mut Known, version: (u64, SystemTime)) {
        known.directory = Some(version);
        known.doubted_since.get_or_insert(self.clock.now());
    }

    /// Enters checksums that were computed. Those of packages that have changed since are left out.
    pub fn add_checksums(&self, healed: &[Package]) {
        let _refreshing = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        let listing = self.last();
        let still_so = |package: &&Package| {
            let listed = listing.get(package.name.as_str());
            listed.is_some_and(|listed| listed.state == package.state)
        };
        let come: Vec<_> = healed
            .iter()
            .filter(still_so)
            .cloned()
            .map(Arc::new)
            .collect();
        let listing = listing.changed(&[], &come, listing.version + 1);
        enter(self.known(), Arc::new(listing));
    }
}

/// Makes this the listing; the one before goes when nothing is locked. Needs `refresh`.
fn enter(mut known: MutexGuard<'_, Known>, listing: Arc<Listing>) -> Arc<Listing> {
    let before = std::mem::replace(&mut known.listing, Arc::clone(&listing));
    drop(known);
    drop(before);
    listing
}

/// Whether a file system's clock could give a later change the same time. A time in the future says nothing at all.
pub fn is_doubtful(modified: SystemTime) -> bool {
    clock::wall_now()
        .duration_since(modified)
        .map_or(true, |age| age < TIMESTAMP_DOUBT_TIME)
}

/// A change of the directory by this process, under its lock. Once it has touched anything, only a commit keeps the listing
/// from reading the directory again.
pub struct Change<'c> {
    cache: &'c ListingCache,
    lock: &'c DirLock,
    listing: Arc<Listing>,
    gone: Vec<PackageName>,
    come: Vec<Arc<Package>>,
    /// Something was touched, and the listing does not know of it yet.
    is_open: bool,
    _refreshing: MutexGuard<'c, ()>,
}

impl Change<'_> {
    /// The lock that the change is made under.
    pub fn lock(&self) -> &DirLock {
        self.lock
    }

    /// The packages before the change.
    pub fn before(&self) -> Arc<Listing> {
        Arc::clone(&self.listing)
    }

    /// Something in the directory is about to be changed.
    pub fn touch(&mut self) {
        self.is_open = true;
    }

    /// A package came, or replaced the one of its name.
    pub fn came(&mut self, package: Arc<Package>) {
        self.come.push(package);
    }

    /// A package went.
    pub fn went(&mut self, name: PackageName) {
        self.gone.push(name);
    }

    /// Enters the change into the listing. It is made, whatever happens here: where the directory cannot be asked for its
    /// state, it is read again.
    pub fn commit(mut self) {
        let Ok(version) = self.lock.directory().version() else {
            return;
        };
        let (gone, come) = (
            std::mem::take(&mut self.gone),
            std::mem::take(&mut self.come),
        );
        let listing = self.listing.changed(&gone, &come, self.listing.version + 1);
        let mut known = self.cache.known();
        self.cache.now_is(&mut known, version);
        enter(known, Arc::new(listing));
        self.is_open = false;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.cache.forget();
        }
    }
}
