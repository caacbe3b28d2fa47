//! The state that all handlers share.

use crate::app::downloads::Downloads;
use crate::app::file_head::FileHeads;
use crate::app::public_url::PublicUrl;
use crate::app::rendered::RenderedCache;
use crate::config::LatestBy;
use crate::metrics::Metrics;
use crate::storage::{Listing, Package, Release, Store};
use crate::tokens::Tokens;
use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub struct AppState {
    pub store: Arc<dyn Store>,
    pub tokens: Arc<Tokens>,
    pub public_url: PublicUrl,
    pub max_upload_bytes: Option<u64>,
    pub latest_by: LatestBy,
    pub metrics: Arc<Metrics>,
    pub downloads: Downloads,
    pub file_heads: FileHeads,
    pub rendered: RenderedCache,
    /// Whether the log has the warning about catalogs below an http URL.
    pub warned_of_http: AtomicBool,
    pub draining: AtomicBool,
}

impl AppState {
    /// All packages in the order of `latest_by`.
    pub fn ordered<'l>(&self, listing: &'l Listing) -> Vec<&'l Arc<Package>> {
        match self.latest_by {
            LatestBy::Time => listing.packages().iter().collect(),
            LatestBy::Version => listing
                .releases()
                .finals_first()
                .flat_map(|r| &r.packages)
                .collect(),
        }
    }

    /// All packages, those of each release together, in the order of `latest_by`.
    pub fn ordered_by_release<'l>(&self, listing: &'l Listing) -> Vec<&'l Arc<Package>> {
        let releases = self.ordered_releases(listing).into_iter();
        releases.flat_map(|release| &release.packages).collect()
    }

    /// All releases in the order of `latest_by`.
    pub fn ordered_releases<'l>(&self, listing: &'l Listing) -> Vec<&'l Release> {
        let releases = listing.releases();
        match self.latest_by {
            LatestBy::Version => releases.finals_first().collect(),
            LatestBy::Time => releases_by_time(listing),
        }
    }
}

/// All releases, that with the newest package first.
pub fn releases_by_time(listing: &Listing) -> Vec<&Release> {
    let mut releases: Vec<_> = listing.releases().all().iter().collect();
    let newest = |release: &&Release| release.packages.first().map(|p| p.state.modified);
    releases.sort_by_key(|release| Reverse(newest(release)));
    releases
}
