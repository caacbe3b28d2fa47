//! Packages of a directory for `copy`, and packages that `copy` puts into one.
//!
//! Invariant: a package gets its name as in a publish: synced, under the lock, before its sidecar.
//! So servers may run meanwhile.

use super::generation;
use super::lock::LockKeeper;
use super::missing_checksums::checksum;
use super::scan::{self, Warned};
use super::sidecar;
use crate::checksum::Sha256;
use crate::limits::LOCK_WAIT_MAX;
use crate::storage::directory::{Directory, Entry, state_of};
use crate::storage::error::{Result, StorageError, errno, failed};
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use crate::storage::upload::CompleteUpload;
use rustix::io::Errno;
use std::fs::File;
use std::io::Seek;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Debug)]
pub struct Volume {
    path: PathBuf,
    directory: Directory,
    keeper: LockKeeper,
}

impl Volume {
    pub fn open(path: &Path) -> Result<Self> {
        let directory = Directory::open(path)?;
        let keeper =
            LockKeeper::start(path).map_err(|error| failed("lock", path)(errno(&error)))?;
        Ok(Self {
            path: path.to_owned(),
            directory,
            keeper,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All packages, by name.
    pub fn packages(&self) -> Result<Vec<Arc<Package>>> {
        let warned = Warned::default();
        let packages = scan::scan(
            &self.directory,
            &Listing::default(),
            &warned,
            &mut |name, error| warned.about_unreadable(name, &error),
        )?;
        let listing = Listing::new(packages.unwrap_or_default(), 0);
        Ok(listing.by_name().to_vec())
    }

    /// Opens a package that is in this state, and computes its checksum.
    pub fn read(&self, package: &Package) -> Result<(File, Sha256)> {
        let name = package.name.as_str();
        let shown = self.directory.path(name);
        let mut file = self
            .directory
            .open_file(name)
            .map_err(failed("open", &shown))?;
        let go_on = &mut |_| ControlFlow::Continue(());
        let sha256 = checksum(&file, &package.state, go_on)
            .and_then(|sha256| file.rewind().map(|()| sha256))
            .map_err(|error| failed("read", &shown)(errno(&error)))?;
        Ok((file, sha256.ok_or(StorageError::NotFound)?))
    }

    /// Gives an upload its name, which must be free, and its time.
    pub fn place(
        &mut self,
        name: &PackageName,
        mut upload: CompleteUpload,
        modified: SystemTime,
    ) -> Result<()> {
        let shown = self.directory.path(name.as_str());
        let file = &upload.temporary.file;
        file.set_modified(modified)
            .and_then(|()| file.sync_all())
            .map_err(|error| failed("write", &shown)(errno(&error)))?;
        let sidecar = sidecar::prepare(&self.path, upload.sha256, modified)?;
        let lock = self.keeper.acquire(LOCK_WAIT_MAX)?;
        let directory = lock.directory();
        if directory.entry(name.as_str())?.is_some() {
            return Err(StorageError::Exists(None));
        }
        sidecar::remove(&lock, name)?;
        let placed = upload.temporary.place_new(directory, name.as_str());
        placed.map_err(|error| match error {
            Errno::EXIST => StorageError::Exists(None),
            error => failed("write", &shown)(error),
        })?;
        directory.sync()?;
        sidecar::place(&lock, name, sidecar)?;
        generation::advance(&lock)
    }

    /// Whether the file is still in the state in which it was read.
    pub fn is_unchanged(&self, package: &Package, file: &File) -> bool {
        state_of(file).is_ok_and(|entry| entry == Entry::File(package.state))
    }
}
