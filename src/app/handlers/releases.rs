//! GitHub's API for reading: the packages by version as releases and assets.
//!
//! Invariants: each answer is rendered once for each change and repository and has GitHub's form;
//! download counts in it are at most `DOWNLOAD_COUNTS_INTERVAL` old. A single asset is rendered on
//! request, since rendering costs no more than a lookup.
//!
//! Sources: docs/contract.md, section 2; GitHub's REST API, "Releases", "Release assets" and "Using
//! pagination in the REST API"; RFC 8288 (`Link`).

use super::download;
use super::lookup::{self, by_id, by_tag, package, urls};
use crate::app::answer::{Form, Rendered, to_json};
use crate::app::error::{ApiError, NotFound};
use crate::app::links::{link_header, links};
use crate::app::negotiate;
use crate::app::rendered::{Source, View};
use crate::app::repository::{self, RepositoryUrls, Tag};
use crate::app::router::Route;
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::storage::releases::tag_of;
use crate::storage::{Listing, Release};

pub fn list(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let page = negotiate::page(request)?;
    let urls = urls(state, request, route)?;
    let listing = state.store.listing()?;
    let all = listing.releases().all();
    let page = page.within(all.len());
    let rendered = render(state, &listing, View::Releases(page), &urls, &|marks| {
        let count = |name: &str| state.downloads.of(name);
        let shown = page
            .of(all)
            .iter()
            .map(|release| marks.release(release, &count));
        to_json(&shown.collect::<Vec<_>>())
    });
    let links = links(urls.releases(), "", page, all.len());
    rendered.answer(request, Form::json(&link_header(&links)))
}

/// The root of GitHub's API, which clients ask whether a server has one.
pub fn root(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let repository_url = format!("{base}/api/v3/repos/{{owner}}/{{repo}}");
    let root = serde_json::json!({ "repository_url": repository_url });
    Form::json(&[]).answer_once(request, to_json(&root))
}

pub fn repository(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let object = repository::object(route.repository, &base);
    let object = object.ok_or_else(|| NotFound::Path(request.target.path.to_owned()))?;
    Form::json(&[]).answer_once(request, to_json(&object))
}

pub fn tags(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let page = negotiate::page(request)?;
    let urls = urls(state, request, route)?;
    let listing = state.store.listing()?;
    let all = listing.releases().all();
    let page = page.within(all.len());
    let rendered = render(state, &listing, View::Tags(page), &urls, &|marks| {
        let tags = page.of(all).iter().map(|release| Tag::new(release, marks));
        to_json(&tags.collect::<Vec<_>>())
    });
    let url = format!("{}/tags", urls.releases().trim_end_matches("/releases"));
    let links = links(&url, "", page, all.len());
    rendered.answer(request, Form::json(&link_header(&links)))
}

pub fn latest(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let listing = state.store.listing()?;
    let release = lookup::latest(&listing)?;
    one(state, request, route, &listing, release)
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
    let view = View::Release(release.id);
    let rendered = render(state, listing, view, &urls, &|marks| {
        let count = |name: &str| state.downloads.of(name);
        to_json(&marks.release(release, &count))
    });
    rendered.answer(request, Form::json(&[]))
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
    let page = page.within(release.packages.len());
    let view = View::ReleaseAssets(release.id, page);
    let rendered = render(state, &listing, view, &urls, &|marks| {
        let count = |name: &str| state.downloads.of(name);
        let shown = page.of(&release.packages).iter();
        let shown = shown.map(|package| marks.asset(package, &release.tag, &count));
        to_json(&shown.collect::<Vec<_>>())
    });
    let url = format!("{}/{}/assets", urls.releases(), release.id);
    let links = links(&url, "", page, release.packages.len());
    rendered.answer(request, Form::json(&link_header(&links)))
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
    Form::json(&[("Vary", "Accept")]).answer_once(request, to_json(&asset))
}

fn render(
    state: &AppState,
    listing: &Listing,
    view: View,
    urls: &RepositoryUrls,
    render: &dyn Fn(&RepositoryUrls) -> Vec<u8>,
) -> Rendered {
    let source = Source::with_counts(listing, &state.downloads);
    let render = || render(&RepositoryUrls::marks());
    state.rendered.get(view, source, urls.values(), &render)
}
