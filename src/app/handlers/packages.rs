//! `GET /packages`: the list of packages for people and for scripts; `GET /` leads to it.
//!
//! Invariant: both forms are rendered once for each change and base URL.

use super::State;
use crate::app::error::ApiError;
use crate::app::negotiate::{self, Format};
use crate::app::public_url;
use crate::app::release::Metadata;
use crate::app::rendered::{Rendered, View};
use crate::app::views;
use crate::http::response::Response;
use crate::http::service::Request;

pub fn get(state: &State, request: &Request<'_>) -> Result<Response, ApiError> {
    let format = negotiate::format(request)?;
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let rendered = match format {
        Format::Html => state.rendered.get(View::PackagesHtml, &base, &listing, || {
            let page = views::packages(&listing, &base).into_bytes();
            Rendered::new(views::CONTENT_TYPE, page, |head| {
                views::with_policy(head.header("Vary", "Accept"))
            })
        }),
        Format::Json => state.rendered.get(View::PackagesJson, &base, &listing, || {
            let packages = listing.packages().iter();
            let list: Vec<_> = packages
                .map(|package| Metadata::new(package, &base))
                .collect();
            // Nothing in it can fail to be written as JSON: no maps, no floats.
            let body = serde_json::to_vec(&list).unwrap_or_default();
            Rendered::new("application/json", body, |head| {
                head.header("Vary", "Accept")
            })
        }),
    };
    rendered.answer(request)
}

/// The redirect from `/`, under the public prefix where there is one.
pub fn root(state: &State, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let location = format!("{}/packages", public_url::path_of(&base));
    Ok(Response::new(303).header("Location", &location))
}
