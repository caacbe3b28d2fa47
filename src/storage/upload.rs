//! Publishing: from the first byte of an upload to a durable package under its name.
//!
//! Invariant: nothing is visible under a package's name but a complete, synced file, and never a wrong checksum beside
//! it. The steps, and what a crash right after each leaves behind:
//!
//! 1. A temporary file takes the bytes, which are hashed on the way. (Nothing, or a leftover.)
//! 2. Its modification time is set, and it is synced. (The same.)
//! 3. The directory's lock. (The same; the lock goes with the process.)
//! 4. The old sidecar is removed. (The old package without a checksum, until that is recomputed.)
//! 5. The file is linked or renamed into place. (The new package, without a checksum until that is recomputed.)
//! 6. The new sidecar is written. (The new package; a sidecar cut short does not count.)
//! 7. fsync of the directory. (The new package.)
//! 8. The sweep. (The new package, and more packages than wanted until the next publish.)
//!
//! Before step 7 a loss of power may undo steps 4 to 6 in any order. A sidecar that survives its package's replacement is
//! older than the new file's inode and does not count.
//!
//! Source: the project's contract, section 4.

use super::Store;
use super::directory::{Entry, state_of};
use super::error::{Result, StorageError, errno, failed};
use super::listing::Package;
use super::lock::DirLock;
use super::name::PackageName;
use super::removal;
use super::sidecar;
use super::temporary::TemporaryFile;
use crate::checksum::Sha256;
use crate::clock;
use rustix::io::Errno;
use sha2::Digest;
use std::io::Write;
use std::sync::Arc;

/// An upload on its way. Dropped before it is published, it leaves nothing.
pub struct PendingUpload {
    store: Arc<Store>,
    temporary: TemporaryFile,
    hasher: sha2::Sha256,
    size: u64,
}

/// What a publish did.
#[derive(Debug)]
pub struct Published {
    /// The package as it is now.
    pub package: Arc<Package>,
    /// Whether it replaced one of its name.
    pub replaced: bool,
    /// What the sweep removed.
    pub removed: Vec<PackageName>,
}

impl PendingUpload {
    pub(super) fn new(store: Arc<Store>) -> Result<Self> {
        let temporary = TemporaryFile::create(&store.path)?;
        Ok(Self {
            store,
            temporary,
            hasher: sha2::Sha256::new(),
            size: 0,
        })
    }

    /// Bytes taken so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.temporary
            .file
            .write_all(bytes)
            .map_err(|error| failed("write an upload to", &self.store.path)(errno(&error)))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The bytes are complete; their checksum.
    pub fn complete(self) -> CompleteUpload {
        CompleteUpload {
            sha256: Sha256::new(self.hasher.finalize()),
            store: self.store,
            temporary: self.temporary,
        }
    }
}

/// An upload that has all its bytes. Dropped before it is published, it leaves nothing.
pub struct CompleteUpload {
    /// The checksum of the bytes.
    pub sha256: Sha256,
    store: Arc<Store>,
    temporary: TemporaryFile,
}

impl CompleteUpload {
    /// Makes it a durable package.
    pub fn publish(mut self, name: &PackageName, overwrite: bool) -> Result<Published> {
        let store = Arc::clone(&self.store);
        let shown = store.path.join(name.as_str());
        // The file system's own clock ticks too slowly to tell one publish from the next. Where it cannot be set, ties go
        // by name.
        let _ = self.temporary.file.set_modified(clock::wall_now());
        rustix::fs::fsync(&self.temporary.file).map_err(failed("sync", &shown))?;
        let lock = store.lock.acquire()?;
        let mut change = store.cache.begin(&lock, store.retention.is_limited())?;
        let replaced = match lock.directory().entry(name.as_str())? {
            None => false,
            Some(Entry::File(_)) if overwrite => true,
            Some(entry) => return Err(store.taken(name, entry)),
        };
        change.touch();
        sidecar::remove(&lock, name)?;
        let placed = if replaced {
            self.temporary.replace(&lock, name.as_str())
        } else {
            self.temporary.place_new(&lock, name.as_str())
        };
        if let Err(error) = placed {
            // What was there stays, and is to have its sidecar again.
            store
                .owed
                .extend(change.before().get(name.as_str()).cloned());
            return Err(match error {
                // Put there by hand since the look a moment ago.
                Errno::EXIST => StorageError::Exists(None),
                error => failed("publish", &shown)(error),
            });
        }
        let package = self.settle(&lock, name, replaced)?;
        change.came(Arc::clone(&package));
        let removed = removal::sweep(&mut change, &store.retention, &package);
        change.commit();
        Ok(Published {
            package,
            replaced,
            removed,
        })
    }

    /// Steps 6 and 7, for a file that is in place.
    fn settle(&self, lock: &DirLock, name: &PackageName, replaced: bool) -> Result<Arc<Package>> {
        let written = sidecar::write(lock, name, self.sha256);
        let directory = lock.directory();
        let state = directory.sync().and_then(|()| {
            state_of(&self.temporary.file).map_err(failed("look at", directory.path(name.as_str())))
        });
        match state {
            Ok(Entry::File(state)) => {
                let package = Arc::new(Package {
                    name: name.clone(),
                    state,
                    sha256: Some(self.sha256),
                });
                if let Err(error) = written {
                    log::warn!(package = name.as_str(), error:% = error; "the checksum is written later");
                    self.store.owed.extend([Arc::clone(&package)]);
                }
                Ok(package)
            }
            Ok(Entry::Other) => Err(StorageError::NotFound),
            Err(error) => {
                // A new package must not be there after a 500. A replaced one is whole either way.
                if !replaced
                    && let Err(error) = directory
                        .remove(name.as_str())
                        .and_then(|_| sidecar::remove(lock, name))
                {
                    log::error!(package = name.as_str(), error:% = error; "an upload that failed cannot be taken back");
                }
                Err(error)
            }
        }
    }
}
