//! The directory that the servers of a test share.
//!
//! By default all of them, and the test itself, use one path. `LOAD_MOUNTS` names several paths of
//! one directory, separated by colons: the first for the test itself, which must show every change
//! at once, and one for each server in turn. `scripts/nfs-test.sh` sets it.

use release_server::storage::directory::GENERATION_FILE;
use release_server::storage::directory_engine::lock::LOCK_FILE;
use std::path::{Path, PathBuf};

/// A new directory, removed at the end of the test.
pub struct SharedDirectory {
    own: tempfile::TempDir,
    /// Empty where all servers use the test's own path.
    mounts: Vec<PathBuf>,
}

impl SharedDirectory {
    pub fn new() -> Self {
        let Ok(mounts) = std::env::var("LOAD_MOUNTS") else {
            let own = tempfile::tempdir().unwrap();
            return Self {
                own,
                mounts: Vec::new(),
            };
        };
        let mut mounts = mounts.split(':').map(PathBuf::from);
        let own = tempfile::tempdir_in(mounts.next().unwrap()).unwrap();
        let name = own.path().file_name().unwrap();
        let mounts: Vec<_> = mounts.map(|mount| mount.join(name)).collect();
        assert!(!mounts.is_empty(), "LOAD_MOUNTS needs two paths at least");
        Self { own, mounts }
    }

    /// The path for the test itself.
    pub fn path(&self) -> &Path {
        self.own.path()
    }

    /// The path for the server of this number.
    pub fn of_server(&self, number: usize) -> &Path {
        match self.mounts.len() {
            0 => self.path(),
            count => &self.mounts[number % count],
        }
    }

    /// All names in it, including hidden ones, sorted; without the files that servers coordinate
    /// themselves with.
    pub fn stored(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            // A network file system keeps a removed file that is open under a name of this kind.
            .filter(|name| {
                name != GENERATION_FILE && name != LOCK_FILE && !name.starts_with(".nfs")
            })
            .collect();
        names.sort();
        names
    }
}
