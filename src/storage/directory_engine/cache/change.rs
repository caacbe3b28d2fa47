//! A change of the directory by this process, and how it enters the cached listing.
//!
//! Invariant: after a change that failed midway, wholly or in part, the next reader rereads the
//! directory.

use super::{ListingCache, enter};
use crate::storage::directory_engine::generation;
use crate::storage::directory_engine::lock::DirLock;
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use std::sync::Arc;

/// A change under the directory's lock.
pub struct Change<'c> {
    cache: &'c ListingCache,
    lock: &'c DirLock,
    listing: Arc<Listing>,
    /// The directory was touched, and the listing does not show it yet.
    is_open: bool,
    /// A part of the change has failed midway, so only the directory says what it left.
    is_doubted: bool,
}

impl<'c> Change<'c> {
    pub(super) fn new(cache: &'c ListingCache, lock: &'c DirLock, listing: Arc<Listing>) -> Self {
        Self {
            cache,
            lock,
            listing,
            is_open: false,
            is_doubted: false,
        }
    }

    /// The packages before the change.
    pub fn before(&self) -> &Arc<Listing> {
        &self.listing
    }

    /// To be called before the first change of the directory.
    pub fn touch(&mut self) {
        self.is_open = true;
    }

    /// To be called where a part of the change has failed after it touched the directory.
    pub fn doubt(&mut self) {
        self.is_doubted = true;
    }

    /// Gives the directory another generation and enters the change into the listing, before any
    /// reader sees that generation. Where a part has failed, or the directory's time cannot be
    /// read, the directory is reread later instead.
    pub fn commit(mut self, removed: &[PackageName], added: &[Arc<Package>]) {
        self.cache.open_files().close_all();
        let _refreshing = self.cache.refresh();
        if let Err(error) = generation::advance(self.lock) {
            log::error!(
                error:% = error;
                "other servers on the volume may list a change late"
            );
        }
        if self.is_doubted {
            return;
        }
        let directory = self.lock.directory();
        let (Ok(generation), Ok(version)) = (generation::of(directory), directory.version()) else {
            return;
        };
        let listing = self.cache.last();
        let listing = listing.changed(removed, added, listing.version + 1);
        let mut known = self.cache.known();
        known.generation = generation;
        self.cache.now_is(&mut known, version);
        enter(known, Arc::new(listing));
        self.is_open = false;
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.cache.known().is_changing = false;
        if self.is_open {
            self.cache.forget();
        }
    }
}
