//! The addresses of GitHub's website: the page of a release, the redirect to that of the latest
//! one, and the feed of releases.
//!
//! Sources: docs/contract.md, sections 1 and 2; RFC 4287 (the feed).

use super::lookup::{self, by_tag, urls};
use crate::app::answer::Form;
use crate::app::error::ApiError;
use crate::app::feed;
use crate::app::negotiate::Page;
use crate::app::public_url;
use crate::app::release_page;
use crate::app::rendered::{Source, View};
use crate::app::repository::RepositoryUrls;
use crate::app::router::Route;
use crate::app::state::{AppState, releases_by_time};
use crate::app::views;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::limits::FEED_RELEASES_MAX;

/// The redirect to the page of the latest release, whose tag install scripts read from `Location`.
pub fn latest(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    urls(state, request, route)?;
    let listing = state.store.listing()?;
    let release = lookup::latest(&listing)?;
    let base = state.public_url.base(request)?;
    let path = public_url::path_of(&base);
    let urls = RepositoryUrls::new(path, route.repository);
    let location = urls.map_or_else(String::new, |urls| urls.page(&release.tag));
    Ok(Response::new(302)
        .header("Location", &location)
        .header("Cache-Control", "no-cache"))
}

pub fn release(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    urls(state, request, route)?;
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let release = by_tag(&listing, route.tag)?;
    let view = View::ReleaseHtml(release.id);
    let source = Source::with_counts(&listing, &state.downloads);
    let rendered = state.rendered.get(view, source, views::values(&base), &|| {
        let count = |name: &str| state.downloads.of(name);
        release_page::render(release, &count).into_bytes()
    });
    let form = Form {
        content_type: views::CONTENT_TYPE,
        headers: &views::headers(),
    };
    rendered.answer(request, form)
}

pub fn feed(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let values = [views::escape(&base).into()].into();
    let rendered = state
        .rendered
        .get(View::Feed, Source::of(&listing), values, &|| {
            let newest = Page {
                number: 1,
                size: FEED_RELEASES_MAX,
            };
            feed::render(newest.of(&releases_by_time(&listing))).into_bytes()
        });
    let form = Form {
        content_type: "application/atom+xml; charset=utf-8",
        headers: &[],
    };
    rendered.answer(request, form)
}
