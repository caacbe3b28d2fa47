//! Packages on the local disk: fetched from the bucket, or published through this server.
//!
//! Invariants:
//! - A file's name is the SHA-256 of its content, so it serves every object with these bytes, and
//!   none with others. It gets the name when all its bytes are received, compared and synced.
//! - The files together have at most `bytes_max` bytes; the least recently used are removed first.
//!   A download that has opened a file goes on after its removal.
//! - At most [`OPEN_FILES_MAX`] files are kept open for the next download, none after its removal.
//! - Everything here may be lost: the bucket has it.

use crate::checksum::Sha256;
use crate::limits::OPEN_FILES_MAX;
use crate::metrics::StoreMetrics;
use crate::storage::directory::{self, Directory, Entry, open_file};
use crate::storage::error::{Result, failed};
use crate::storage::temporary::TemporaryFile;
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The directory of the files, in the storage directory.
const CACHE_DIRECTORY: &str = "cache";

#[derive(Debug)]
pub struct FileCache {
    path: PathBuf,
    directory: Directory,
    bytes_max: u64,
    metrics: Arc<StoreMetrics>,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_checksum: HashMap<Sha256, Used>,
    /// From the least recently used one.
    by_use: BTreeMap<u64, Sha256>,
    bytes: u64,
    uses: u64,
    /// How many of them are kept open.
    open: usize,
}

#[derive(Debug)]
struct Used {
    size: u64,
    /// The number of its last use.
    last: u64,
    /// Where it is kept open.
    file: Option<Arc<File>>,
}

impl Entries {
    fn use_one(&mut self, sha256: &Sha256) -> bool {
        let Some(used) = self.by_checksum.get_mut(sha256) else {
            return false;
        };
        if used.last == self.uses {
            return true;
        }
        self.uses += 1;
        self.by_use.remove(&used.last);
        used.last = self.uses;
        self.by_use.insert(self.uses, *sha256);
        true
    }

    fn add(&mut self, sha256: Sha256, size: u64) {
        if self.use_one(&sha256) {
            return;
        }
        self.uses += 1;
        let last = self.uses;
        let file = None;
        self.by_checksum.insert(sha256, Used { size, last, file });
        self.by_use.insert(last, sha256);
        self.bytes += size;
    }

    fn remove(&mut self, sha256: &Sha256) {
        if let Some(used) = self.by_checksum.remove(sha256) {
            self.by_use.remove(&used.last);
            self.bytes -= used.size;
            self.open -= usize::from(used.file.is_some());
        }
    }

    /// Keeps an open file for the next download; where too many are, it is the only one.
    fn keep_open(&mut self, sha256: &Sha256, file: &Arc<File>) {
        if self.open >= OPEN_FILES_MAX {
            for used in self.by_checksum.values_mut() {
                used.file = None;
            }
            self.open = 0;
        }
        if let Some(used) = self.by_checksum.get_mut(sha256) {
            self.open += usize::from(used.file.is_none());
            used.file = Some(Arc::clone(file));
        }
    }

    /// Removes the least recently used entry.
    fn pop(&mut self) -> Option<Sha256> {
        let (_, sha256) = self.by_use.first_key_value()?;
        let sha256 = *sha256;
        self.remove(&sha256);
        Some(sha256)
    }
}

impl FileCache {
    /// Opens the cache in the storage directory, with what an earlier process left in it.
    pub fn open(
        storage: &Path,
        bytes_max: u64,
        metrics: Arc<StoreMetrics>,
    ) -> std::io::Result<Self> {
        let path = storage.join(CACHE_DIRECTORY);
        directory::create_durably(&path)?;
        let directory = Directory::open(&path).map_err(std::io::Error::other)?;
        let mut found = Vec::new();
        for entry in directory.entries().map_err(std::io::Error::other)? {
            let name = entry?.file_name().to_str().unwrap_or_default().to_owned();
            let Some(sha256) = Sha256::from_hex(name.as_bytes()) else {
                continue;
            };
            if let Ok(Some(Entry::File(state))) = directory.entry(&name) {
                found.push((state.modified, sha256, state.size));
            }
        }
        found.sort_unstable_by_key(|(modified, ..)| *modified);
        let cache = Self {
            path,
            directory,
            bytes_max,
            metrics,
            entries: Mutex::default(),
        };
        for (_, sha256, size) in found {
            cache.entries().add(sha256, size);
        }
        cache.report();
        cache.evict_to(bytes_max);
        Ok(cache)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of all files.
    fn bytes(&self) -> u64 {
        self.entries().bytes
    }

    fn report(&self) {
        self.metrics
            .cached_bytes
            .store(self.bytes(), Ordering::Relaxed);
    }

    /// Opens the file with this content, if there is one. A file that cannot be opened now is still
    /// counted, unless it is not there.
    pub fn get(&self, sha256: &Sha256) -> Option<Arc<File>> {
        let mut entries = self.entries();
        if !entries.use_one(sha256) {
            return None;
        }
        let kept = entries.by_checksum.get(sha256)?.file.clone();
        drop(entries);
        if kept.is_some() {
            return kept;
        }
        match open_file(&self.path.join(sha256.hex())) {
            Ok(file) => {
                let file = Arc::new(file);
                self.entries().keep_open(sha256, &file);
                Some(file)
            }
            Err(error) => {
                if error == Errno::NOENT {
                    self.entries().remove(sha256);
                    self.report();
                }
                None
            }
        }
    }

    pub fn has(&self, sha256: &Sha256) -> bool {
        self.entries().by_checksum.contains_key(sha256)
    }

    /// Keeps a file whose content has this checksum, unless it is larger than the whole cache.
    pub fn keep(&self, sha256: Sha256, size: u64, file: &mut TemporaryFile) -> Result<()> {
        if size > self.bytes_max || self.has(&sha256) {
            return Ok(());
        }
        rustix::fs::fdatasync(&file.file).map_err(failed("sync a file in", &self.path))?;
        self.evict_to(self.bytes_max - size);
        match file.place_new(&self.directory, &sha256.hex()) {
            Ok(()) | Err(Errno::EXIST) => {
                self.entries().add(sha256, size);
                // Others may have been kept at the same moment.
                self.evict_to(self.bytes_max);
                self.report();
            }
            Err(error) => return Err(failed("keep a file in", &self.path)(error)),
        }
        Ok(())
    }

    /// Removes files until so many bytes more are free, or none is left.
    pub fn make_room(&self, bytes: u64) {
        let left = self.bytes().saturating_sub(bytes);
        self.evict_to(left);
    }

    fn evict_to(&self, bytes: u64) {
        loop {
            let evicted = {
                let mut entries = self.entries();
                (entries.bytes > bytes).then(|| entries.pop()).flatten()
            };
            let Some(sha256) = evicted else { return };
            if let Err(error) = self.directory.remove(&sha256.hex()) {
                log::warn!(error:% = error; "a cached package could not be removed");
            }
            self.report();
        }
    }
}
