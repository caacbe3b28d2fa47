//! The thread that lists the bucket, applies retention after publishes, and notifies other servers.
//!
//! Servers notify each other by a beacon: an object whose content changes after every change. While
//! requests ask for the listing, its entity tag is compared every [`LISTING_CHECK_INTERVAL`], and
//! the bucket is listed where it changed; in any case every [`LISTING_OLD_AGE`].
//!
//! Invariants:
//! - Retention is applied to a listing that began after the publish, and removes only packages that
//!   are older than the published one: of servers that publish at the same time, none removes what
//!   another has just published.
//! - An object is removed by retention only as it is listed.
//! - The beacon is read before the bucket is listed, so that a change in between is not missed.
//!
//! [`LISTING_CHECK_INTERVAL`]: crate::limits::bucket::LISTING_CHECK_INTERVAL
//! [`LISTING_OLD_AGE`]: crate::limits::bucket::LISTING_OLD_AGE

use super::agenda::Work;
use super::faults;
use super::finishing::Finishing;
use super::jobs::guarded;
use super::known::{self, Known};
use super::object::Object;
use super::view::View;
use crate::clock::{self, Clock};
use crate::limits::bucket::{BEACON_INTERVAL, KNOWN_INTERVAL, STORE_RETRY_INTERVAL};
use crate::metrics::StoreMetrics;
use crate::s3::{self, Bucket, Condition, Content, Get, Put, S3ErrorKind};
use crate::storage::error::Result;
use crate::storage::name::{NameError, PackageName};
use crate::storage::package::{Package, age_order};
use crate::storage::retention::Retention;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, UNIX_EPOCH};

/// The object whose content changes after every change.
pub const BEACON: &str = ".release-server/changed";

/// Bounds the memory for warnings; nobody reads more of them.
const WARNED_NAMES_MAX: usize = 1000;

pub struct Refresh {
    pub bucket: Arc<Bucket>,
    pub view: Arc<View>,
    pub metrics: Arc<StoreMetrics>,
    pub clock: Clock,
    pub retention: Retention,
    /// How many objects are looked at at a time.
    pub threads: usize,
    /// The beacon's entity tag when the bucket was last listed because of it.
    pub beacon: Option<String>,
    pub beacon_at: Instant,
    pub retry_at: Instant,
    pub warned: HashSet<String>,
    /// What other servers knew, until the bucket was listed once.
    pub known: Option<Known>,
    pub known_at: Instant,
    /// The listing's version when that was last written.
    pub known_version: u64,
}

impl Refresh {
    pub fn run(mut self) {
        self.known = Some(known::read(&self.bucket));
        loop {
            match self.view.next_work(self.beacon_at, self.retry_at) {
                Work::End => return,
                Work::Finish(finishing) => self.finish(finishing),
                Work::Beacon => self.write_beacon(),
                Work::Check => {
                    let outcome = self.check();
                    self.settle(outcome);
                }
                Work::List => {
                    let outcome = self.list();
                    self.settle(outcome);
                }
            }
        }
    }

    fn settle(&mut self, outcome: s3::Result<()>) {
        if let Err(error) = outcome {
            self.retry_at = self.clock.now() + STORE_RETRY_INTERVAL;
            let is_refused = error.kind == S3ErrorKind::Refused;
            let failure = faults::of("list", "the bucket", &error);
            return self.view.fail(failure, is_refused);
        }
        let now = clock::wall_now().duration_since(UNIX_EPOCH);
        let seconds = now.unwrap_or_default().as_secs();
        let listed_at = &self.metrics.listing_seconds;
        listed_at.store(seconds, Ordering::Relaxed);
    }

    /// Lists the bucket where another server has changed it since.
    fn check(&mut self) -> s3::Result<()> {
        let asked_at = self.clock.now();
        let get = Get {
            if_none_match: self.beacon.as_deref(),
            ..Get::default()
        };
        let beacon = match self.bucket.get(BEACON, &get) {
            Ok(got) => Some(got.head.etag.clone()),
            Err(error) if error.kind == S3ErrorKind::NotModified => self.beacon.clone(),
            // No server has changed the bucket yet.
            Err(error) if error.kind == S3ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if beacon == self.beacon && self.view.age().is_some() {
            self.view.confirm(asked_at);
            return Ok(());
        }
        self.list()?;
        self.beacon = beacon;
        Ok(())
    }

    fn list(&mut self) -> s3::Result<()> {
        let (since, known) = self.view.begin();
        let began_at = self.clock.now();
        let bucket = Arc::clone(&self.bucket);
        let remembered = self.known.take().unwrap_or_default();
        let mut objects = HashMap::with_capacity(known.len());
        let mut unknown = Vec::new();
        let mut take = |listed: s3::Object| {
            let name = match PackageName::parse(&listed.key) {
                Ok(name) => name,
                Err(why) => return self.warn(&listed.key, why),
            };
            let object = known.get(&name).or_else(|| remembered.get(&name));
            match object.filter(|object| object.is_listed_as(&listed)) {
                Some(object) => {
                    let object = object.clone().with_time(listed.modified);
                    objects.insert(name, object);
                }
                None => unknown.push(name),
            }
        };
        bucket.list(&mut take)?;
        drop(known);
        objects.extend(self.look_at(&unknown)?);
        self.view.take_over(since, began_at, objects);
        self.write_known();
        Ok(())
    }

    /// Writes what is known, now and then, where that has changed.
    fn write_known(&mut self) {
        let (now, version) = (self.clock.now(), self.view.last().version);
        if now < self.known_at || version == self.known_version {
            return;
        }
        self.known_at = now + KNOWN_INTERVAL;
        let (_, objects) = self.view.begin();
        match known::write(&self.bucket, objects.values()) {
            Ok(()) => self.known_version = version,
            Err(error) => log::debug!(error:% = error; "what is known was not written"),
        }
    }

    /// Warns about an object that is not a package, once.
    fn warn(&mut self, key: &str, why: NameError) {
        let is_expected = matches!(why, NameError::Reserved | NameError::Hidden);
        if !is_expected
            && self.warned.len() < WARNED_NAMES_MAX
            && self.warned.insert(key.to_owned())
        {
            log::warn!(object = key, why:% = why; "not a package: neither listed nor served");
        }
    }

    /// Reads the metadata of objects, several at a time.
    fn look_at(&self, unknown: &[PackageName]) -> s3::Result<Vec<(PackageName, Object)>> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Ok(Vec::with_capacity(unknown.len())));
        let look = || {
            while let Some(name) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
                let object = match self.bucket.head(name.as_str()) {
                    Ok(head) => Ok(Some(Object::of(name.clone(), &head))),
                    // Deleted since it was listed.
                    Err(error) if error.kind == S3ErrorKind::NotFound => Ok(None),
                    // Of one object only: the others are listed without it.
                    Err(error) if error.kind == S3ErrorKind::Invalid => {
                        log::warn!(object = name.as_str(), error:% = error; "not listed");
                        Ok(None)
                    }
                    Err(error) => Err(error),
                };
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                match (&mut *found, object) {
                    (Ok(objects), Ok(object)) => {
                        objects.extend(object.map(|object| (name.clone(), object)));
                    }
                    (Ok(_), Err(error)) => *found = Err(error),
                    (Err(_), _) => return,
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(unknown.len()) {
                // Without the thread, the others look at all of them.
                let _ = std::thread::Builder::new().spawn_scoped(scope, look);
            }
            look();
        });
        found.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies retention after publishes, notifies the other servers, and answers.
    fn finish(&mut self, mut finishing: Vec<Finishing>) {
        let mut published: Vec<(usize, Arc<Package>)> = Vec::new();
        for (at, finishing) in finishing.iter().enumerate() {
            published.extend(finishing.published.clone().map(|package| (at, package)));
        }
        let mut removed: Vec<Vec<PackageName>> = finishing.iter().map(|_| Vec::new()).collect();
        if !published.is_empty() && self.retention.is_limited() {
            published.sort_by(|(_, one), (_, other)| age_order(other, one));
            match self.list() {
                Ok(()) => {
                    for (at, package) in published {
                        removed[at] = self.sweep(&package);
                    }
                }
                Err(error) => {
                    log::warn!(error:% = error; "retention is applied at the next publish");
                    self.settle(Err(error));
                }
            }
        }
        self.view.owe_beacon();
        if self.beacon_at <= self.clock.now() {
            self.write_beacon();
        }
        for (finishing, removed) in finishing.drain(..).zip(removed) {
            guarded(|| (finishing.answer)(removed));
        }
    }

    /// Removes what exceeds retention after a publish.
    fn sweep(&self, published: &Package) -> Vec<PackageName> {
        let listing = self.view.last();
        let removed = self
            .retention
            .sweep(published, listing.packages(), |package| {
                // Another server has published it since: it is not this publish's to remove.
                let is_later = age_order(package, published).is_le();
                Ok(!is_later && self.remove_listed(package)?)
            });
        let names = removed.iter().map(|name| (name.clone(), None));
        self.view.enter(names.collect());
        removed
    }

    /// Deletes an object unless it has changed since this package was listed; whether the package
    /// is removed.
    fn remove_listed(&self, package: &Package) -> Result<bool> {
        let name = &package.name;
        let Some(object) = self.view.object(name) else {
            return Ok(true);
        };
        if object.package.state != package.state {
            return Ok(false);
        }
        let cannot = |error| faults::of_delete(name.as_str(), &error);
        match self.bucket.head(name.as_str()) {
            Ok(head) if object.is_headed_as(&head) => {}
            Ok(_) => return Ok(false),
            // Removed by another server that applies retention.
            Err(error) if error.kind == S3ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(cannot(error)),
        }
        match self.bucket.delete(name.as_str(), object.condition()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind == S3ErrorKind::PreconditionFailed => Ok(false),
            Err(error) => Err(cannot(error)),
        }
    }

    /// Notifies the other servers; where the store refuses, later.
    fn write_beacon(&mut self) {
        let content = RandomState::new().hash_one(self.clock.now()).to_string();
        let put = Put {
            content: Content::Bytes(content.as_bytes()),
            condition: Condition::None,
            metadata: &[],
        };
        self.beacon_at = self.clock.now() + BEACON_INTERVAL;
        match self.bucket.put(BEACON, &put) {
            Ok(_) => self.view.beacon_written(),
            Err(error) => {
                self.beacon_at += STORE_RETRY_INTERVAL;
                log::warn!(error:% = error; "other servers may list a change late");
                self.view.owe_beacon();
            }
        }
    }
}
