//! The choice of the engine, by the settings alone.

use super::directory_engine::store::DirectoryStore;
use super::retention::Retention;
use super::store::Store;
use crate::clock::Clock;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub struct Options {
    /// The directory of the packages.
    pub path: PathBuf,
    pub retention: Retention,
    /// The number of threads that call the store.
    pub workers: usize,
    pub clock: Clock,
}

/// Opens the storage.
pub fn open(options: Options) -> io::Result<Arc<dyn Store>> {
    let Options {
        path,
        retention,
        workers,
        clock,
    } = options;
    Ok(Arc::new(DirectoryStore::open(
        &path, retention, workers, clock,
    )?))
}
