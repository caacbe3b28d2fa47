//! `GET /packages`: the list of packages for people and scripts; `GET /` redirects to it.
//!
//! Invariant: both forms are rendered once for each change and base URL.

use crate::app::answer::{Form, to_json};
use crate::app::error::ApiError;
use crate::app::links::{link_header, links};
use crate::app::negotiate::{self, Format};
use crate::app::packages_page;
use crate::app::public_url;
use crate::app::release::{Metadata, segment};
use crate::app::rendered::{Source, View};
use crate::app::state::AppState;
use crate::app::views;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::http::template::MARKS;
use crate::storage::Package;
use std::fmt::Write;
use std::sync::Arc;

pub fn get(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let format = negotiate::format(request)?;
    let mut selection = negotiate::selection(request)?;
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let ordered = match format {
        Format::Html => state.ordered_by_release(&listing),
        Format::Json => state.ordered(&listing),
    };
    let is_selected = |package: &&Arc<Package>| selection.contains(package.name.as_str());
    let mut selected: Vec<_> = ordered.into_iter().filter(is_selected).collect();
    let total = selected.len();
    selection.page = selection.page.map(|page| page.within(total));
    let link = selection.page.map_or_else(String::new, |page| {
        selected = page.of(&selected).to_vec();
        links(&format!("{base}/packages"), &query(request), page, total)
    });
    let mut headers = vec![("Vary", "Accept")];
    headers.extend(link_header(&link));
    let view = View::Packages(format, selection.clone());
    match format {
        Format::Html => {
            headers.extend(views::headers());
            let count = |name: &str| state.downloads.of(name);
            let shown = packages_page::Shown {
                packages: &selected,
                releases: listing.releases(),
                selection: &selection,
                total,
                latest_by: state.latest_by,
                count: &count,
            };
            let render = || shown.render().into_bytes();
            let source = Source::with_counts(&listing, &state.downloads);
            let rendered = state
                .rendered
                .get(view, source, views::values(&base), &render);
            let content_type = views::CONTENT_TYPE;
            rendered.answer(
                request,
                Form {
                    content_type,
                    headers: &headers,
                },
            )
        }
        Format::Json => {
            let values = [base.into()].into();
            let source = Source::of(&listing);
            let rendered = state.rendered.get(view, source, values, &|| {
                let list = selected
                    .iter()
                    .map(|package| Metadata::new(package, MARKS[0]));
                to_json(&list.collect::<Vec<_>>())
            });
            rendered.answer(request, Form::json(&headers))
        }
    }
}

/// The parameters that links to other pages of the list repeat.
fn query(request: &Request<'_>) -> String {
    let mut query = String::new();
    for name in ["q", "format"] {
        if let Some(value) = request.target.parameter(name) {
            // Writing to a string does not fail.
            let _ = write!(query, "&{name}={}", segment(&value));
        }
    }
    query
}

/// The redirect from `/` with the query, under the public prefix if there is one.
pub fn root(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    redirect(state, request, 303, "/packages")
}

/// The redirect to the same path without a slash at its end, as the Python server had it.
pub fn without_slash(
    state: &AppState,
    request: &Request<'_>,
    path: &str,
) -> Result<Response, ApiError> {
    redirect(state, request, 308, path)
}

fn redirect(
    state: &AppState,
    request: &Request<'_>,
    status: u16,
    path: &str,
) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let query = request.target.query;
    let separator = if query.is_empty() { "" } else { "?" };
    let location = format!("{}{path}{separator}{query}", public_url::path_of(&base));
    Ok(Response::new(status).header("Location", &location))
}
