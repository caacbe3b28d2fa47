//! Reads the packages that were put into the directory by hand, by another server, or before this
//! one started: what each of them is to spec-kit.
//!
//! Invariant: what is entered belongs to the listed state of the file; a package that changes
//! meanwhile is read again with the next listing.

use super::cache::ListingCache;
use crate::storage::content::Content;
use crate::storage::directory::{Directory, Entry, state_of};
use crate::storage::package::Package;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads every listed package that was not read yet.
pub fn read_all(directory: &Directory, cache: &ListingCache, stopped: &AtomicBool) {
    let listing = cache.last();
    let is_unread = |package: &&Arc<Package>| package.content == Content::Unread;
    let unread = listing.packages().iter().filter(is_unread);
    let goes_on = |_: &&Arc<Package>| !stopped.load(Ordering::Acquire);
    let read: Vec<Package> = unread
        .take_while(goes_on)
        .filter_map(|package| read_one(directory, package))
        .collect();
    if !read.is_empty() {
        cache.add_findings(&read);
    }
}

/// `None` for a package that was deleted or changed.
fn read_one(directory: &Directory, package: &Package) -> Option<Package> {
    let name = package.name.as_str();
    let file = directory.open_file(name).ok()?;
    let is_listed = state_of(&file).ok()? == Entry::File(package.state);
    let content = is_listed.then(|| Content::read(name, &file))?;
    if let Content::Package(recognised) = &content {
        recognised.log(name);
    }
    Some(Package {
        content,
        ..package.clone()
    })
}
