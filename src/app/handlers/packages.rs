//! `GET /packages`: the list of packages for people and scripts; `GET /` redirects to it.
//!
//! Invariant: both forms are rendered once for each change and base URL.

use crate::app::error::ApiError;
use crate::app::negotiate::{self, Format};
use crate::app::public_url;
use crate::app::release::Metadata;
use crate::app::rendered::{Rendered, View};
use crate::app::state::AppState;
use crate::app::views;
use crate::http::response::Response;
use crate::http::service::Request;

pub fn get(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let format = negotiate::format(request)?;
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let version = (listing.version, 0);
    let rendered = match format {
        Format::Html => state.rendered.get(View::PackagesHtml, &base, version, &|| {
            let page = views::packages(&listing, &base).into_bytes();
            let [policy, referrer] = views::headers();
            let headers = [("Vary", "Accept"), policy, referrer];
            Rendered::new(views::CONTENT_TYPE, page, &headers)
        }),
        Format::Json => state.rendered.get(View::PackagesJson, &base, version, &|| {
            let packages = listing.packages().iter();
            let list: Vec<_> = packages
                .map(|package| Metadata::new(package, &base))
                .collect();
            Rendered::json(&list, &[("Vary", "Accept")])
        }),
    };
    rendered?.answer(request)
}

/// The redirect from `/`, under the public prefix if there is one.
pub fn root(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let location = format!("{}/packages", public_url::path_of(&base));
    Ok(Response::new(303).header("Location", &location))
}
