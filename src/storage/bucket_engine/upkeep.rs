//! The thread that finds out what the metadata of objects does not say: checksums of objects that
//! were put by hand, and what packages are to spec-kit.
//!
//! Invariants: objects are only read; what is found belongs to one state of an object. Of an
//! archive only the parts are read that its manifest is found by. Everything here may fail or be
//! done by several servers at once.

use super::faults;
use super::fetch::Fetcher;
use super::object::Object;
use super::view::View;
use crate::limits::LISTING_RECHECK_INTERVAL;
use crate::manifest::source::Source;
use crate::s3::{Bucket, Get};
use crate::storage::content::Content;
use crate::storage::directory::Directory;
use crate::storage::error::{Result, StorageError, failed};
use crate::storage::package::Package;
use crate::storage::temporary::{abandoned_lock, is_temporary};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::thread::Thread;

pub struct Upkeep {
    pub path: PathBuf,
    pub bucket: Arc<Bucket>,
    pub view: Arc<View>,
    pub fetcher: Arc<Fetcher>,
}

impl Upkeep {
    pub fn run(&self, stopped: &AtomicBool) {
        self.view.is_kept_up_by(std::thread::current());
        while !stopped.load(Ordering::Acquire) {
            if let Err(error) = self.remove_leftovers() {
                log::warn!(error:% = error; "leftovers cannot be removed");
            }
            self.read_contents(stopped);
            self.compute_checksums(stopped);
            std::thread::park_timeout(LISTING_RECHECK_INTERVAL);
        }
    }

    /// Removes unfinished files of processes that have ended.
    fn remove_leftovers(&self) -> Result<()> {
        let spool = Directory::open(&self.path)?;
        for entry in spool.entries()? {
            let entry = entry.map_err(failed("list the directory", &self.path))?;
            let name = entry.file_name().to_str().unwrap_or_default();
            if is_temporary(name) && abandoned_lock(&spool, name).is_ok() {
                spool.remove(name)?;
            }
        }
        Ok(())
    }

    /// Reads what listed packages are to spec-kit.
    fn read_contents(&self, stopped: &AtomicBool) {
        let listing = self.view.last();
        let is_unread = |package: &&Arc<Package>| package.content == Content::Unread;
        for package in listing.packages().iter().filter(is_unread) {
            if stopped.load(Ordering::Acquire) {
                return;
            }
            let Some(object) = self.view.object(&package.name) else {
                continue;
            };
            let name = package.name.as_str();
            let source = ObjectSource {
                bucket: &self.bucket,
                object: &object,
            };
            let content = match Content::of(name, &source) {
                Ok(content) => content,
                // The next round tries again.
                Err(error) => {
                    log::debug!(package = name, error:% = error; "a package cannot be read yet");
                    if self.view.is_failing() {
                        return;
                    }
                    continue;
                }
            };
            if let Content::Package(recognised) = &content {
                recognised.log(name);
            }
            let package = Package {
                content,
                ..Package::clone(&object.package)
            };
            self.view.add_findings(&[package]);
        }
    }

    /// Fetches the packages without a checksum, one after the other.
    fn compute_checksums(&self, stopped: &AtomicBool) {
        let listing = self.view.last();
        for package in listing.packages() {
            if package.sha256.is_some() {
                continue;
            }
            let Some(object) = self.view.object(&package.name) else {
                continue;
            };
            loop {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                match self.fetcher.whole(&object) {
                    Err(StorageError::Pending(awaited)) => {
                        awaited.wake(waker(std::thread::current()));
                        std::thread::park_timeout(LISTING_RECHECK_INTERVAL);
                    }
                    // What cannot be fetched now is fetched in a later round.
                    _ => break,
                }
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn waker(thread: Thread) -> Waker {
    Waker::from(Arc::new(Unpark(thread)))
}

/// The bytes of an object, of which only some are read.
struct ObjectSource<'o> {
    bucket: &'o Bucket,
    object: &'o Object,
}

impl Source for ObjectSource<'_> {
    fn size(&self) -> u64 {
        self.object.package.state.size
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        if length == 0 {
            return Ok(bytes);
        }
        let name = self.object.package.name.as_str();
        let get = Get {
            if_match: self.object.condition(),
            range: Some((offset, offset + length as u64)),
            ..Get::default()
        };
        let got = self.bucket.get(name, &get);
        let mut got = got.map_err(|error| io::Error::other(faults::of("read", name, &error)))?;
        got.body.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
