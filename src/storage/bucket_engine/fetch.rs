//! Fetching packages from the bucket: once, however many ask, and handed on while they arrive.
//!
//! Invariants:
//! - A fetch gets the bytes of one state of an object; where the object changes, the fetch fails,
//!   and what the object is now is listed before that is known: a request that waited begins again
//!   with the new state.
//! - A package that is too large for the cache is shared as long as one client still receives it.
//! - Only the threads of transfers write to the local disk; a worker opens a cached file behind the
//!   disk gate.
//! - A failed fetch is remembered for [`FETCH_FAILED_TIME`], so that those who wait for it get its
//!   error and do not begin another.

use super::arrival::{Answered, Fetch, Progress, Whole};
use super::faults;
use super::file_cache::FileCache;
use super::jobs::Jobs;
use super::lookups;
use super::object::Object;
use super::view::View;
use crate::awaited::Arriving;
use crate::checksum::Sha256;
use crate::clock::Clock;
use crate::disk_gate::DiskGate;
use crate::limits::HASH_BUFFER_BYTES;
use crate::limits::bucket::{FETCH_ATTEMPTS_MAX, FETCH_FAILED_TIME, FETCHES_MAX};
use crate::metrics::StoreMetrics;
use crate::s3::{Bucket, Get};
use crate::storage::error::{Result, StorageError, errno, failed};
use crate::storage::name::PackageName;
use crate::storage::open::PackageBytes;
use crate::storage::package::Package;
use crate::storage::temporary::TemporaryFile;
use sha2::Digest;
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// The object whose bytes are fetched: its name and entity tag.
type Key = (PackageName, Arc<str>);

/// What fetches packages.
#[derive(Debug)]
pub struct Fetcher {
    pub path: PathBuf,
    pub clock: Clock,
    pub bucket: Arc<Bucket>,
    pub view: Arc<View>,
    pub cache: Arc<FileCache>,
    pub metrics: Arc<StoreMetrics>,
    pub transfers: Arc<Jobs>,
    pub gate: Arc<DiskGate>,
    pub fetches: Mutex<Fetches>,
}

#[derive(Debug, Default)]
pub struct Fetches {
    running: HashMap<Key, Arc<Fetch>>,
    /// Complete ones whose file is not in the cache, for as long as anyone has them.
    uncached: HashMap<Key, Weak<Fetch>>,
}

impl Fetches {
    /// The fetch of this object, if there is one that can be shared.
    fn get(&mut self, key: &Key, now: Instant) -> Option<Arc<Fetch>> {
        self.running.retain(|_, fetch| match fetch.progress() {
            Progress::Failed(_, at) => now.duration_since(at) < FETCH_FAILED_TIME,
            _ => true,
        });
        self.uncached.retain(|_, fetch| fetch.strong_count() > 0);
        let running = self.running.get(key).cloned();
        running.or_else(|| self.uncached.get(key).and_then(Weak::upgrade))
    }
}

impl Fetcher {
    fn fetches(&self) -> MutexGuard<'_, Fetches> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of an object, from the cache or as they arrive.
    pub fn bytes(self: &Arc<Self>, object: &Object) -> Result<PackageBytes> {
        if let Some(file) = self.cached(object)? {
            return Ok(PackageBytes::File(file));
        }
        let fetch = self.begin(object)?;
        let progress = fetch.progress();
        match progress {
            Progress::Starting => Err(StorageError::Pending(Arc::new(Answered(fetch)))),
            Progress::Failed(error, _) => Err(self.failure(object, fetch, error)),
            Progress::Receiving(_) | Progress::Complete => Ok(PackageBytes::Arriving(fetch)),
        }
    }

    /// The whole file of an object.
    pub fn whole(self: &Arc<Self>, object: &Object) -> Result<Arc<File>> {
        if let Some(file) = self.cached(object)? {
            return Ok(file);
        }
        let fetch = self.begin(object)?;
        let progress = fetch.progress();
        match (progress, fetch.file()) {
            (Progress::Complete, Some(file)) => file
                .try_clone()
                .map(Arc::new)
                .map_err(|error| failed("open", &self.path)(errno(&error))),
            (Progress::Failed(error, _), _) => Err(self.failure(object, fetch, error)),
            _ => Err(StorageError::Pending(Arc::new(Whole(fetch)))),
        }
    }

    /// Why the bytes of an object cannot be had. Where it is not listed as this object any more,
    /// the request is to look again.
    fn failure(&self, object: &Object, fetch: Arc<Fetch>, error: StorageError) -> StorageError {
        let package = &object.package;
        let listed = self.view.object(&package.name);
        let is_listed = listed.is_some_and(|listed| listed.package.state == package.state);
        match error {
            StorageError::NotFound if !is_listed => {
                StorageError::Pending(Arc::new(Answered(fetch)))
            }
            error => error,
        }
    }

    fn cached(&self, object: &Object) -> Result<Option<Arc<File>>> {
        let Some(sha256) = &object.package.sha256 else {
            return Ok(None);
        };
        let inside = self.gate.enter_or_put_off();
        let inside = inside.ok_or(StorageError::DiskHangs)?;
        let file = self.cache.get(sha256);
        drop(inside);
        if file.is_some() {
            self.metrics.cache_hits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(file)
    }

    /// The fetch that runs for this state of the object, or a new one.
    fn begin(self: &Arc<Self>, object: &Object) -> Result<Arc<Fetch>> {
        let key = (object.package.name.clone(), Arc::clone(&object.etag));
        let mut shared = self.fetches();
        if let Some(fetch) = shared.get(&key, self.clock.now()) {
            return Ok(fetch);
        }
        if shared.running.len() >= FETCHES_MAX {
            return Err(StorageError::QueueFull);
        }
        let fetch = Arc::new(Fetch::new(object.package.state.size));
        shared.running.insert(key.clone(), Arc::clone(&fetch));
        drop(shared);
        self.metrics.cache_misses.fetch_add(1, Ordering::Relaxed);
        let (fetcher, object, filled) = (Arc::clone(self), object.clone(), Arc::clone(&fetch));
        self.transfers
            .push(Box::new(move || fetcher.run(&object, key, &filled)));
        Ok(fetch)
    }

    fn run(&self, object: &Object, key: Key, fetch: &Arc<Fetch>) {
        let package_name = &object.package.name;
        let name = package_name.as_str();
        match self.receive(object, fetch) {
            Ok((sha256, mut temporary)) => {
                if object.package.sha256.is_none() {
                    let package = Package {
                        sha256: Some(sha256),
                        ..Package::clone(&object.package)
                    };
                    self.view.add_findings(&[package]);
                    log::info!(package = name, sha256:% = sha256.hex(); "checksum computed");
                }
                fetch.advance(Progress::Complete);
                // Nobody waits for the disk to sync it. Until then this fetch is shared.
                if let Err(error) = self.cache.keep(sha256, fetch.size, &mut temporary) {
                    log::warn!(package = name, error:% = error; "a package was not cached");
                }
                let mut shared = self.fetches();
                shared.running.remove(&key);
                if !self.cache.has(&sha256) {
                    shared.uncached.insert(key, Arc::downgrade(fetch));
                }
            }
            Err(error) => {
                if matches!(error, StorageError::NotFound) {
                    // Whoever waits asks again, and finds what it is now.
                    let _ = lookups::enter_current(&self.bucket, &self.view, package_name);
                    self.view.doubt();
                } else {
                    log::warn!(package = name, error:% = error; "a package cannot be fetched");
                }
                fetch.advance(Progress::Failed(error, self.clock.now()));
            }
        }
    }

    /// Receives all bytes; where the connection is cut, the rest is asked for.
    fn receive(&self, object: &Object, fetch: &Fetch) -> Result<(Sha256, TemporaryFile)> {
        let temporary = TemporaryFile::create(&self.path)?;
        let file = temporary
            .file
            .try_clone()
            .map_err(|error| failed("open", &self.path)(errno(&error)))?;
        let file = fetch.fill(file);
        let mut received = 0;
        let mut hasher = sha2::Sha256::new();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let outcome = self.receive_some(object, (fetch, file), &mut received, &mut hasher);
            if received >= fetch.size && outcome.is_ok() {
                break;
            }
            match outcome {
                Err(error) if attempts >= FETCH_ATTEMPTS_MAX || !faults::is_passing(&error) => {
                    return Err(error);
                }
                Ok(()) if attempts >= FETCH_ATTEMPTS_MAX => {
                    return Err(faults::unavailable(
                        "fetch",
                        object,
                        "the store cut it short",
                    ));
                }
                _ => {}
            }
        }
        let sha256 = Sha256::new(hasher.finalize());
        match object.package.sha256 {
            Some(stated) if stated != sha256 => Err(faults::damaged(
                "fetch the package",
                object,
                &stated,
                &sha256,
            )),
            _ => Ok((sha256, temporary)),
        }
    }

    fn receive_some(
        &self,
        object: &Object,
        (fetch, file): (&Fetch, &File),
        received: &mut u64,
        hasher: &mut sha2::Sha256,
    ) -> Result<()> {
        let name = object.package.name.as_str();
        let get = Get {
            if_match: object.condition(),
            range: (*received > 0).then_some((*received, fetch.size)),
            ..Get::default()
        };
        let got = self.bucket.get(name, &get);
        let mut got = got.map_err(|error| faults::of("fetch the package", name, &error))?;
        if !object.is_headed_as(&got.head) {
            return Err(StorageError::NotFound);
        }
        if *received == 0 {
            fetch.advance(Progress::Receiving(0));
        }
        let mut buffer = vec![0; HASH_BUFFER_BYTES];
        while *received < fetch.size {
            let left = usize::try_from(fetch.size - *received).unwrap_or(usize::MAX);
            let wanted = buffer.len().min(left);
            let length = match got.body.read(&mut buffer[..wanted]) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(faults::unavailable(
                        "fetch the package",
                        object,
                        &error.to_string(),
                    ));
                }
            };
            self.write(file, &buffer[..length], (*received, fetch.size))?;
            hasher.update(&buffer[..length]);
            *received += length as u64;
            fetch.advance(Progress::Receiving(*received));
        }
        Ok(())
    }

    /// Writes into the file; where the disk is full, cached packages make room.
    fn write(&self, file: &File, bytes: &[u8], (offset, size): (u64, u64)) -> Result<()> {
        let written = file.write_all_at(bytes, offset);
        let written = match written {
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                self.cache.make_room(size - offset);
                file.write_all_at(bytes, offset)
            }
            written => written,
        };
        written.map_err(|error| failed("write a fetched package to", &self.path)(errno(&error)))
    }
}
