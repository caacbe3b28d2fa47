//! GitHub's API for reading: the packages by version as releases and assets.
//!
//! Invariants: each answer is rendered once for each change and repository and has GitHub's form;
//! download counts in it are at most `DOWNLOAD_COUNTS_INTERVAL` old. A single asset is rendered on
//! request, since rendering costs no more than a lookup.
//!
//! Sources: docs/contract.md, section 2; GitHub's REST API, "Releases", "Release assets" and "Using
//! pagination in the REST API"; RFC 8288 (`Link`).

use super::download;
use super::lookup::{by_id, by_tag, package, urls};
use crate::app::error::{ApiError, NotFound};
use crate::app::negotiate::{self, Page};
use crate::app::release::RepositoryUrls;
use crate::app::rendered::{Rendered, View};
use crate::app::router::Route;
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::storage::releases::tag_of;
use crate::storage::{Listing, Release};
use std::fmt::Write;

pub fn list(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let page = negotiate::page(request)?;
    let urls = urls(state, request, route)?;
    let listing = state.store.listing()?;
    let all = listing.releases().all();
    let rendered = render(state, &listing, View::Releases(page), &urls, &|| {
        let count = |name: &str| state.downloads.of(name);
        let shown = on_page(all, page).map(|release| urls.release(release, &count));
        let links = links(urls.releases(), page, all.len());
        Rendered::json(&shown.collect::<Vec<_>>(), &link_header(&links))
    });
    rendered?.answer(request)
}

pub fn latest(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let listing = state.store.listing()?;
    let latest = listing.releases().latest();
    let latest = latest.ok_or_else(|| NotFound::Release("latest".to_owned()))?;
    one(state, request, route, &listing, latest)
}

pub fn tagged(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let listing = state.store.listing()?;
    let release = by_tag(&listing, route.tag)?;
    one(state, request, route, &listing, release)
}

pub fn numbered(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let listing = state.store.listing()?;
    let release = by_id(&listing, route.name)?;
    one(state, request, route, &listing, release)
}

fn one(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
    listing: &Listing,
    release: &Release,
) -> Result<Response, ApiError> {
    let urls = urls(state, request, route)?;
    let rendered = render(state, listing, View::Release(release.id), &urls, &|| {
        let count = |name: &str| state.downloads.of(name);
        Rendered::json(&urls.release(release, &count), &[])
    });
    rendered?.answer(request)
}

pub fn assets(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let page = negotiate::page(request)?;
    let urls = urls(state, request, route)?;
    let listing = state.store.listing()?;
    let release = by_id(&listing, route.name)?;
    let view = View::ReleaseAssets(release.id, page);
    let rendered = render(state, &listing, view, &urls, &|| {
        let count = |name: &str| state.downloads.of(name);
        let shown = on_page(&release.packages, page);
        let shown = shown.map(|package| urls.asset(package, &release.tag, &count));
        let url = format!("{}/{}/assets", urls.releases(), release.id);
        let links = links(&url, page, release.packages.len());
        Rendered::json(&shown.collect::<Vec<_>>(), &link_header(&links))
    });
    rendered?.answer(request)
}

/// A package: its bytes if the client asks for them, otherwise the object that describes it.
pub fn asset(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let package = package(state, route.name)?;
    if negotiate::prefers_bytes(&request.fields) {
        let answer = download::file(state, request, &package.name)?;
        return Ok(answer.header("Vary", "Accept"));
    }
    let urls = urls(state, request, route)?;
    let count = |name: &str| state.downloads.of(name);
    let listing = state.store.listing()?;
    let tag = tag_of(package.name.as_str());
    let tag = listing
        .releases()
        .by_tag(tag)
        .map_or(tag, |release| &release.tag);
    let asset = urls.asset(&package, tag, &count);
    Rendered::json(&asset, &[("Vary", "Accept")]).answer(request)
}

fn render(
    state: &AppState,
    listing: &Listing,
    view: View,
    urls: &RepositoryUrls,
    render: &dyn Fn() -> Rendered,
) -> Result<Rendered, ApiError> {
    let version = (listing.version, state.downloads.version());
    state.api_rendered.get(view, &urls.key(), version, render)
}

fn on_page<T>(items: &[T], page: Page) -> impl Iterator<Item = &T> {
    let before = (page.number - 1).saturating_mul(page.size);
    items.iter().skip(before).take(page.size)
}

/// The value of `Link` for a page of a list; empty if the list has a single page.
fn links(url: &str, page: Page, items: usize) -> String {
    let last = items.div_ceil(page.size).max(1);
    let mut links = String::new();
    let mut add = |relation: &str, number: usize| {
        let separator = if links.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(
            links,
            "{separator}<{url}?per_page={}&page={number}>; rel=\"{relation}\"",
            page.size
        );
    };
    if page.number > 1 {
        add("prev", last.min(page.number - 1));
    }
    if page.number < last {
        add("next", page.number + 1);
        add("last", last);
    }
    if page.number > 1 {
        add("first", 1);
    }
    links
}

fn link_header(links: &str) -> Vec<(&'static str, &str)> {
    let links = Some(links).filter(|links| !links.is_empty());
    links.map(|links| ("Link", links)).into_iter().collect()
}
