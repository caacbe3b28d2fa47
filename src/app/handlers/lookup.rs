//! What a path or a query names, looked up for several handlers.
//!
//! Invariant: a name, a tag or an id that cannot exist is answered like one that does not exist.

use crate::app::error::ApiError;
use crate::app::release::RepositoryUrls;
use crate::app::router::Route;
use crate::app::state::AppState;
use crate::http::service::Request;
use crate::http::target;
use crate::storage::{Listing, Package, PackageName, Release};
use crate::text;
use std::sync::Arc;

/// The package that a path names, for reading or deleting: a name that none can have is simply not there.
pub fn existing_name(segment: &str) -> Result<PackageName, ApiError> {
    target::decode_segment(segment)
        .and_then(|name| PackageName::parse(&name).ok())
        .ok_or_else(|| ApiError::NoSuchPackage(segment.to_owned()))
}

/// The URLs that an answer for this repository leads to.
pub fn urls(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<RepositoryUrls, ApiError> {
    let base = state.public_url.base(request)?;
    RepositoryUrls::new(&base, route.repository)
        .ok_or_else(|| ApiError::NoSuchPath(request.target.path.to_owned()))
}

/// The package of an id.
pub fn package(state: &AppState, id: &str) -> Result<Arc<Package>, ApiError> {
    let listing = state.store.listing()?;
    let package = text::number(id).and_then(|id| listing.releases().package(id));
    let package = package.cloned();
    package.ok_or_else(|| ApiError::NoSuchPackage(id.to_owned()))
}

/// The release of a tag in a path.
pub fn by_tag<'l>(listing: &'l Listing, segment: &str) -> Result<&'l Release, ApiError> {
    let tag = target::decode_segment(segment);
    let release = tag.and_then(|tag| listing.releases().by_tag(&tag));
    release.ok_or_else(|| ApiError::NoSuchRelease(segment.to_owned()))
}

/// The release of an id.
pub fn by_id<'l>(listing: &'l Listing, id: &str) -> Result<&'l Release, ApiError> {
    let release = text::number(id).and_then(|id| listing.releases().by_id(id));
    release.ok_or_else(|| ApiError::NoSuchRelease(id.to_owned()))
}
