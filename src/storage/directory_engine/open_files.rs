//! Files of packages that were downloaded lately, kept open for the next download.
//!
//! Invariants: a file is used only while the name of its package leads to the same file in the same
//! state, which each download asks the file system; every file is closed with the next change of
//! this process and within `LISTING_RECHECK_INTERVAL`, so that a removed package takes no space for
//! longer.

use crate::limits::OPEN_FILES_MAX;
use crate::storage::name::PackageName;
use crate::storage::package::PackageState;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct OpenFiles(Mutex<Vec<OpenFile>>);

#[derive(Debug)]
struct OpenFile {
    name: PackageName,
    state: PackageState,
    file: Arc<File>,
}

impl OpenFiles {
    fn lock(&self) -> MutexGuard<'_, Vec<OpenFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file that was kept last for a package, and the state that the package was in.
    pub fn get(&self, name: &PackageName) -> Option<(PackageState, Arc<File>)> {
        let files = self.lock();
        let kept = files.iter().rev().find(|kept| kept.name == *name)?;
        Some((kept.state, Arc::clone(&kept.file)))
    }

    /// Keeps a file whose package was in this state when it was opened.
    pub fn keep(&self, name: &PackageName, state: PackageState, file: &Arc<File>) {
        let mut files = self.lock();
        if files.len() < OPEN_FILES_MAX {
            files.push(OpenFile {
                name: name.clone(),
                state,
                file: Arc::clone(file),
            });
        }
    }

    pub fn close_all(&self) {
        // Closing the last descriptor of a removed file may take long.
        drop(std::mem::take(&mut *self.lock()));
    }
}
