//! Packages and releases that a path names, looked up for several handlers.
//!
//! Invariant: a name, a tag or an id that cannot exist is answered like one that does not exist.

use crate::app::error::{ApiError, NotFound};
use crate::app::repository::RepositoryUrls;
use crate::app::router::Route;
use crate::app::state::AppState;
use crate::http::service::Request;
use crate::http::target;
use crate::storage::{Listing, Package, PackageName, Release};
use crate::text;
use std::sync::Arc;

/// The name of the list of all checksums, which no package may be published under.
pub const CHECKSUMS: &str = "SHA256SUMS";

/// The name of a package to read or delete. A name that no package may have is 404.
pub fn existing_name(segment: &str) -> Result<PackageName, NotFound> {
    target::decode_segment(segment)
        .and_then(|name| PackageName::parse(&name).ok())
        .ok_or_else(|| NotFound::Package(segment.to_owned()))
}

/// The URLs of the repository in the route.
pub fn urls(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<RepositoryUrls, ApiError> {
    let base = state.public_url.base(request)?;
    RepositoryUrls::new(&base, route.repository)
        .ok_or_else(|| NotFound::Path(request.target.path.to_owned()).into())
}

pub fn package(state: &AppState, id: &str) -> Result<Arc<Package>, ApiError> {
    let listing = state.store.listing()?;
    let package = text::number(id).and_then(|id| listing.releases().package(id));
    let package = package.cloned();
    package.ok_or_else(|| NotFound::Package(id.to_owned()).into())
}

pub fn by_tag<'l>(listing: &'l Listing, segment: &str) -> Result<&'l Release, NotFound> {
    let tag = target::decode_segment(segment);
    let release = tag.and_then(|tag| listing.releases().by_tag(&tag));
    release.ok_or_else(|| NotFound::Release(segment.to_owned()))
}

pub fn by_id<'l>(listing: &'l Listing, id: &str) -> Result<&'l Release, NotFound> {
    let release = text::number(id).and_then(|id| listing.releases().by_id(id));
    release.ok_or_else(|| NotFound::Release(id.to_owned()))
}

/// The release of the highest version that is not a pre-release.
pub fn latest(listing: &Listing) -> Result<&Release, NotFound> {
    let latest = listing.releases().latest();
    latest.ok_or_else(|| NotFound::Release("latest".to_owned()))
}
