//! The packages of a bucket, with a local directory for uploads and for what was fetched.
//!
//! Invariant: the parts below (view, changes, fetches, lookups) know only each other's interfaces;
//! this module alone puts them together.

use super::admission::Admission;
use super::changes::{BusyNames, Changes};
use super::fetch::Fetcher;
use super::file_cache::FileCache;
use super::jobs::Jobs;
use super::lookups::Lookups;
use super::object::Object;
use super::refresh::Refresh;
use super::upkeep::Upkeep;
use super::view::View;
use crate::clock::Clock;
use crate::disk_gate::{DiskGate, Inside};
use crate::http::disposition;
use crate::limits::bucket::KNOWN_INTERVAL;
use crate::metrics::StoreMetrics;
use crate::s3::Bucket;
use crate::storage::background::Background;
use crate::storage::change::{Delete, Publish, Requirement};
use crate::storage::content;
use crate::storage::directory::{self, Directory};
use crate::storage::error::{Result, StorageError, errno, failed};
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::open::{Deferred, OpenPackage, PackageBytes, Source};
use crate::storage::package::Package;
use crate::storage::retention::Retention;
use crate::storage::store::Store;
use crate::storage::temporary::TemporaryFile;
use crate::storage::upload::{CompleteUpload, PendingUpload};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What the settings say of the bucket, beyond how to reach it.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Bytes of packages that are kept on the local disk.
    pub cache_bytes_max: u64,
    /// Packages that are stored or fetched at a time.
    pub transfers: usize,
    /// Whether clients are sent to the store for downloads.
    pub redirects: bool,
    /// Whether the store lets only one of several requests create a name.
    pub creates_atomically: bool,
}

/// What does not depend on the bucket.
pub struct Local {
    /// The directory for uploads and fetched packages.
    pub path: PathBuf,
    pub retention: Retention,
    /// The number of threads that call the store.
    pub workers: usize,
    pub clock: Clock,
}

pub struct BucketStore {
    path: PathBuf,
    clock: Clock,
    bucket: Arc<Bucket>,
    metrics: Arc<StoreMetrics>,
    policy: Policy,
    retention: Retention,
    view: Arc<View>,
    cache: Arc<FileCache>,
    fetcher: Arc<Fetcher>,
    lookups: Arc<Lookups>,
    changes: Arc<Changes>,
    admission: Admission,
    gate: Arc<DiskGate>,
}

impl BucketStore {
    /// Opens the storage.
    pub fn open(
        bucket: Arc<Bucket>,
        policy: Policy,
        metrics: Arc<StoreMetrics>,
        local: Local,
    ) -> std::io::Result<Self> {
        let Local {
            path,
            retention,
            workers,
            clock,
        } = local;
        let path = path.as_path();
        directory::create_durably(path)?;
        TemporaryFile::check_support(path)?;
        let view = Arc::new(View::new(clock.clone()));
        let cache = Arc::new(FileCache::open(
            path,
            policy.cache_bytes_max,
            Arc::clone(&metrics),
        )?);
        let transfers = Arc::new(Jobs::start("transfer", policy.transfers)?);
        let admission = Admission::default();
        let gate = Arc::new(DiskGate::new(workers, clock.clone()));
        let fetcher = Fetcher {
            path: path.to_owned(),
            clock: clock.clone(),
            bucket: Arc::clone(&bucket),
            view: Arc::clone(&view),
            cache: Arc::clone(&cache),
            metrics: Arc::clone(&metrics),
            transfers: Arc::clone(&transfers),
            gate: Arc::clone(&gate),
            fetches: Mutex::default(),
        };
        let lookups = Lookups::start(Arc::clone(&bucket), Arc::clone(&view), clock.clone())?;
        let changes = Changes {
            bucket: Arc::clone(&bucket),
            view: Arc::clone(&view),
            cache: Arc::clone(&cache),
            transfers,
            admission: admission.clone(),
            creates_atomically: policy.creates_atomically,
            names: BusyNames::default(),
        };
        Ok(Self {
            path: path.to_owned(),
            clock,
            bucket,
            metrics,
            policy,
            retention,
            view,
            cache,
            fetcher: Arc::new(fetcher),
            lookups: Arc::new(lookups),
            changes: Arc::new(changes),
            admission,
            gate,
        })
    }

    /// The way to the disk, for a call that a worker waits for.
    fn disk(&self) -> Result<Inside<'_>> {
        let inside = self.gate.enter_or_put_off();
        inside.ok_or(StorageError::DiskHangs)
    }
}

/// The bytes of an object, which are fetched only where a client wants them.
#[derive(Debug)]
struct ObjectBytes {
    object: Object,
    fetcher: Arc<Fetcher>,
    /// The bucket that clients are sent to.
    redirect: Option<Arc<Bucket>>,
}

impl Deferred for ObjectBytes {
    fn bytes(self: Box<Self>, may_redirect: bool) -> Result<PackageBytes> {
        let bucket = self.redirect.as_ref().filter(|_| may_redirect);
        let name = self.object.package.name.as_str();
        let url = bucket.and_then(|bucket| bucket.presign(name, &disposition::attachment(name)));
        match url {
            Some(url) => Ok(PackageBytes::Elsewhere(url)),
            // Also where no credentials are at hand.
            None => self.fetcher.bytes(&self.object),
        }
    }
}

impl Store for BucketStore {
    fn start_maintenance(&self) -> std::io::Result<Background> {
        let now = self.clock.now();
        let refresh = Refresh {
            bucket: Arc::clone(&self.bucket),
            view: Arc::clone(&self.view),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock.clone(),
            retention: self.retention.clone(),
            threads: self.policy.transfers,
            beacon: None,
            beacon_at: now,
            retry_at: now,
            warned: HashSet::new(),
            known: None,
            known_at: now + KNOWN_INTERVAL,
            known_version: 0,
        };
        let upkeep = Upkeep {
            path: self.path.clone(),
            bucket: Arc::clone(&self.bucket),
            view: Arc::clone(&self.view),
            fetcher: Arc::clone(&self.fetcher),
        };
        let mut background = Background::default();
        let view = Arc::clone(&self.view);
        background.spawn("bucket", move |_| refresh.run(), move || view.end())?;
        background.spawn("upkeep", move |stopped| upkeep.run(stopped), || {})?;
        Ok(background)
    }

    fn gate(&self) -> &Arc<DiskGate> {
        &self.gate
    }

    fn listing(&self) -> Result<Arc<Listing>> {
        self.view.listing()
    }

    fn last_listing(&self) -> Arc<Listing> {
        self.view.last()
    }

    fn open_package(&self, name: &PackageName) -> Result<OpenPackage> {
        self.view.listing()?;
        let Some(object) = self.view.object(name) else {
            return Err(self.lookups.outcome(name));
        };
        Ok(OpenPackage {
            state: object.package.state,
            sha256: object.package.sha256,
            source: Source::Deferred(Box::new(ObjectBytes {
                object,
                fetcher: Arc::clone(&self.fetcher),
                redirect: self.policy.redirects.then(|| Arc::clone(&self.bucket)),
            })),
        })
    }

    fn step_file(&self, package: &Package, path: &str) -> Result<Option<Vec<u8>>> {
        let object = self.view.object(&package.name);
        let Some(object) = object.filter(|it| it.package.state == package.state) else {
            return Ok(None);
        };
        let file = self.fetcher.whole(&object)?;
        let _inside = self.disk()?;
        content::step_file(&file, path)
            .map_err(|error| failed("read a package in", &self.path)(errno(&error)))
    }

    fn begin_upload(&self) -> Result<PendingUpload> {
        let _inside = self.disk()?;
        PendingUpload::new(&self.path)
    }

    fn check_publish(&self, name: &PackageName, requirement: &Requirement) -> Result<()> {
        match self.view.listing() {
            Ok(listing) => requirement.check(listing.get(name.as_str()).map(AsRef::as_ref)),
            // The publish itself decides, and a body that is arriving cannot wait.
            Err(StorageError::Pending(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn publish(&self, upload: CompleteUpload, publish: Publish) {
        self.changes.publish(upload, publish);
    }

    fn delete(&self, delete: Delete) {
        self.changes.delete(delete);
    }

    fn free_bytes(&self) -> Result<Option<u64>> {
        let _inside = self.disk()?;
        Directory::open(&self.path)?.free_bytes()
    }

    fn check_room(&self, bytes: u64) -> Result<()> {
        self.admission.check_room(bytes)?;
        let free_bytes = self.free_bytes()?;
        let missing = free_bytes.map_or(0, |free_bytes| bytes.saturating_sub(free_bytes));
        if missing == 0 {
            return Ok(());
        }
        // Cached packages make room for uploads.
        let _inside = self.disk()?;
        self.cache.make_room(missing);
        Directory::open(&self.path)?.check_room(bytes)
    }

    fn check_ready(&self) -> Result<()> {
        self.view.check_ready()?;
        let _inside = self.disk()?;
        Directory::open(&self.path)?.check_access()
    }
}
