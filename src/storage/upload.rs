//! Publishing: from the first byte of an upload to a durable package under its name.
//!
//! Invariant: a package's name stands for a complete, synced file, and no wrong checksum is ever
//! beside it. The steps, and what a crash right after each leaves:
//!
//! 1. A temporary file takes the bytes, which are hashed on the way. (Nothing, or a leftover.)
//! 2. Its modification time is set, and it is synced. (The same.)
//! 3. The directory's lock is taken. (The same; the lock ends with the process.)
//! 4. The old sidecar is removed. (The old package without a checksum, which is recomputed.)
//! 5. The file is linked or renamed into place. (The new package without a checksum, which is
//!    recomputed.)
//! 6. The new sidecar is written. (The new package; a sidecar cut short does not count.)
//! 7. The directory is synced. (The new package.)
//! 8. Retention removes packages. (The new package, and too many packages until the next publish.)
//!
//! Before step 7 a loss of power may undo steps 4 to 6 in any order. A sidecar that survives the
//! replacement of its package is older than the new file's inode and does not count.
//!
//! Source: docs/contract.md, section 4.

use super::cache::ListingCache;
use super::directory::{Entry, state_of};
use super::error::{Result, StorageError, errno, failed};
use super::lock::{DirLock, LockKeeper};
use super::missing_checksums::OwedSidecars;
use super::name::PackageName;
use super::open;
use super::package::Package;
use super::removal;
use super::retention::Retention;
use super::sidecar;
use super::temporary::TemporaryFile;
use crate::checksum::Sha256;
use crate::clock;
use rustix::io::Errno;
use sha2::Digest;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An upload that still receives bytes. Dropped, it leaves nothing.
pub struct PendingUpload {
    path: PathBuf,
    temporary: TemporaryFile,
    hasher: sha2::Sha256,
    size: u64,
}

/// The result of a publish.
#[derive(Debug)]
pub struct Published {
    pub package: Arc<Package>,
    /// Whether a package of the same name was replaced.
    pub replaced: bool,
    /// The packages that retention removed.
    pub removed: Vec<PackageName>,
}

impl PendingUpload {
    /// Begins an upload into the directory at `path`.
    pub fn new(path: &Path) -> Result<Self> {
        Ok(Self {
            temporary: TemporaryFile::create(path)?,
            path: path.to_owned(),
            hasher: sha2::Sha256::new(),
            size: 0,
        })
    }

    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.temporary
            .file
            .write_all(bytes)
            .map_err(|error| failed("write an upload to", &self.path)(errno(&error)))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Ends the upload: all bytes have been received.
    pub fn complete(self) -> CompleteUpload {
        CompleteUpload {
            sha256: Sha256::new(self.hasher.finalize()),
            temporary: self.temporary,
        }
    }
}

/// An upload that has all its bytes. Dropped before it is published, it leaves nothing.
pub struct CompleteUpload {
    pub sha256: Sha256,
    temporary: TemporaryFile,
}

/// The parts of the store that a publish works with.
pub struct Publisher<'s> {
    pub path: &'s Path,
    pub retention: &'s Retention,
    pub lock: &'s LockKeeper,
    pub cache: &'s ListingCache,
    pub owed: &'s OwedSidecars,
}

impl Publisher<'_> {
    /// Turns an upload into a durable package.
    pub fn publish(
        &self,
        mut upload: CompleteUpload,
        name: &PackageName,
        overwrite: bool,
    ) -> Result<Published> {
        let file_path = self.path.join(name.as_str());
        // The file system's own clock ticks too slowly to order one publish after the next. Where
        // the time cannot be set, the order of packages with the same time is by name.
        let _ = upload.temporary.file.set_modified(clock::wall_now());
        rustix::fs::fsync(&upload.temporary.file).map_err(failed("sync", &file_path))?;
        let lock = self.lock.acquire()?;
        let mut change = self.cache.begin(&lock, self.retention.is_limited())?;
        let replaced = match lock.directory().entry(name.as_str())? {
            None => false,
            Some(Entry::File(_)) if overwrite => true,
            Some(entry) => return Err(open::taken(self.path, &self.cache.last(), name, entry)),
        };
        change.touch();
        sidecar::remove(&lock, name)?;
        let placed = if replaced {
            upload.temporary.replace(&lock, name.as_str())
        } else {
            upload.temporary.place_new(&lock, name.as_str())
        };
        if let Err(error) = placed {
            // The old package stays and gets its sidecar back.
            self.owed
                .extend(change.before().get(name.as_str()).cloned());
            return Err(match error {
                // Created by hand since the check a moment ago.
                Errno::EXIST => StorageError::Exists(None),
                error => failed("publish", &file_path)(error),
            });
        }
        let package = self.settle(&upload, &lock, name, replaced)?;
        change.added(Arc::clone(&package));
        let removed = removal::apply_retention(&mut change, self.retention, &package);
        change.commit();
        Ok(Published {
            package,
            replaced,
            removed,
        })
    }

    /// Steps 6 and 7, for a file that is in place.
    fn settle(
        &self,
        upload: &CompleteUpload,
        lock: &DirLock,
        name: &PackageName,
        replaced: bool,
    ) -> Result<Arc<Package>> {
        let written = sidecar::write(lock, name, upload.sha256);
        let directory = lock.directory();
        let state = directory.sync().and_then(|()| {
            state_of(&upload.temporary.file)
                .map_err(failed("look at", directory.path(name.as_str())))
        });
        match state {
            Ok(Entry::File(state)) => {
                let package = Arc::new(Package {
                    name: name.clone(),
                    state,
                    sha256: Some(upload.sha256),
                });
                if let Err(error) = written {
                    log::warn!(
                        package = name.as_str(), error:% = error;
                        "the checksum file could not be written; the server tries again"
                    );
                    self.owed.extend([Arc::clone(&package)]);
                }
                Ok(package)
            }
            Ok(Entry::Other) => Err(StorageError::NotFound),
            Err(error) => {
                // After a 500 a new package must not exist. A replaced one is whole either way.
                if !replaced
                    && let Err(error) = directory
                        .remove(name.as_str())
                        .and_then(|_| sidecar::remove(lock, name))
                {
                    log::error!(
                        package = name.as_str(), error:% = error;
                        "a failed upload could not be removed"
                    );
                }
                Err(error)
            }
        }
    }
}
