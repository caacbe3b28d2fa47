//! The choice of the engine, by the settings alone.

#[cfg(feature = "bucket")]
use super::bucket_engine;
#[cfg(feature = "bucket")]
use super::bucket_engine::store::{BucketStore, Local, Policy};
#[cfg(feature = "bucket")]
use super::directory;
use super::directory_engine;
#[cfg(feature = "bucket")]
use super::directory_engine::import::Volume;
use super::directory_engine::store::DirectoryStore;
use super::retention::Retention;
use super::store::Store;
use super::verification::{Notify, Progress};
use crate::clock::Clock;
use crate::config::BucketSettings;
#[cfg(feature = "bucket")]
use crate::config::{CreateMode, Downloads};
use crate::metrics::StoreMetrics;
#[cfg(feature = "bucket")]
use crate::s3::{Bucket, NOT_ATOMIC, Probe};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub struct Options {
    /// The directory of the packages; with a bucket, of uploads and fetched packages.
    pub path: PathBuf,
    pub retention: Retention,
    /// The number of threads that call the store.
    pub workers: usize,
    pub clock: Clock,
    /// The bucket of the packages, and the metrics of its requests.
    pub bucket: Option<(BucketSettings, Arc<StoreMetrics>)>,
}

/// Why the storage cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The directory cannot be used.
    Directory(io::Error),
    /// The bucket cannot be used; a sentence that says what to do.
    Bucket(String),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Directory(error)
    }
}

/// Opens the storage.
pub fn open(mut options: Options) -> Result<Arc<dyn Store>, OpenError> {
    match options.bucket.take() {
        Some((settings, metrics)) => open_bucket(&settings, metrics, options),
        None => Ok(Arc::new(DirectoryStore::open(
            &options.path,
            options.retention,
            options.workers,
            options.clock,
        )?)),
    }
}

/// Opens a storage in a bucket, after asking the store what it does.
#[cfg(feature = "bucket")]
fn open_bucket(
    settings: &BucketSettings,
    metrics: Arc<StoreMetrics>,
    options: Options,
) -> Result<Arc<dyn Store>, OpenError> {
    let Options {
        path,
        retention,
        workers,
        clock,
        ..
    } = options;
    let local = Local {
        path,
        retention,
        workers,
        clock,
    };
    let creates_atomically = settings.create == CreateMode::Atomic;
    let policy = Policy {
        cache_bytes_max: settings.cache_bytes,
        transfers: settings.transfers,
        redirects: settings.downloads == Downloads::Redirect,
        creates_atomically,
    };
    let bucket = Bucket::new(settings, Arc::clone(&metrics)).map_err(OpenError::Bucket)?;
    let probe = Probe::run(&bucket);
    let probe = probe.map_err(|error| OpenError::Bucket(error.to_string()))?;
    if creates_atomically && !probe.creates_are_atomic {
        return Err(OpenError::Bucket(NOT_ATOMIC.to_owned()));
    }
    let store = BucketStore::open(Arc::new(bucket), policy, metrics, local)?;
    Ok(Arc::new(store))
}

/// Compares all packages with their checksums. `repair` writes missing ones into a directory; the
/// objects of a bucket are never rewritten.
pub fn verify(
    path: &Path,
    bucket: Option<&BucketSettings>,
    repair: bool,
    notify: Notify<'_>,
) -> Result<Progress, String> {
    let verified = match bucket {
        None => directory_engine::verify::verify(path, repair, notify),
        Some(settings) => return verify_bucket(settings, notify),
    };
    verified.map_err(|error| error.to_string())
}

#[cfg(feature = "bucket")]
fn verify_bucket(settings: &BucketSettings, notify: Notify<'_>) -> Result<Progress, String> {
    let bucket = Bucket::new(settings, Arc::default())?;
    bucket_engine::verify::verify(&bucket, notify).map_err(|error| error.to_string())
}

#[cfg(not(feature = "bucket"))]
fn verify_bucket(_: &BucketSettings, _: Notify<'_>) -> Result<Progress, String> {
    Err(WITHOUT_BUCKETS.to_owned())
}

/// Where `copy` reads or writes packages.
#[derive(Debug)]
pub enum Place {
    Directory(PathBuf),
    Bucket(Box<BucketSettings>),
}

/// Copies all packages that are not there yet.
#[cfg(feature = "bucket")]
pub fn copy(from: Place, to: Place, notify: Notify<'_>) -> Result<Progress, String> {
    let open = |path: &Path| Volume::open(path).map_err(|error| error.to_string());
    let copied = match (from, to) {
        (Place::Directory(from), Place::Bucket(to)) => {
            let bucket = Bucket::new(&to, Arc::default())?;
            bucket_engine::copy::into_bucket(&open(&from)?, &bucket, notify)
        }
        (Place::Bucket(from), Place::Directory(to)) => {
            let bucket = Bucket::new(&from, Arc::default())?;
            directory::create_durably(&to)
                .map_err(|error| format!("{}: cannot be created: {error}", to.display()))?;
            bucket_engine::copy::into_directory(&bucket, &mut open(&to)?, notify)
        }
        _ => return Err("one of --from and --to is a directory, the other a bucket".to_owned()),
    };
    copied.map_err(|error| error.to_string())
}

#[cfg(not(feature = "bucket"))]
pub fn copy(_: Place, _: Place, _: Notify<'_>) -> Result<Progress, String> {
    Err(WITHOUT_BUCKETS.to_owned())
}

#[cfg(not(feature = "bucket"))]
const WITHOUT_BUCKETS: &str =
    "this build keeps packages in a directory only: it lacks the feature 'bucket'";

#[cfg(not(feature = "bucket"))]
fn open_bucket(
    _: &BucketSettings,
    _: Arc<StoreMetrics>,
    _: Options,
) -> Result<Arc<dyn Store>, OpenError> {
    Err(OpenError::Bucket(WITHOUT_BUCKETS.to_owned()))
}
