//! `GET /latest`: the release object that `specify init --template-url` reads.
//!
//! Invariant: rendered once for each change and base URL, whatever the number of packages.

use crate::app::error::ApiError;
use crate::app::release::Release;
use crate::app::rendered::{Rendered, View};
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::http::service::Request;

pub fn get(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    // Downloads alone cause no rendering: the counts are those of the last change.
    let version = (listing.version, 0);
    let rendered = state.rendered.get(View::Latest, &base, version, &|| {
        let count = |name: &str| state.downloads.of(name);
        Rendered::json(&Release::latest(&listing, &base, &count), &[])
    });
    rendered?.answer(request)
}
