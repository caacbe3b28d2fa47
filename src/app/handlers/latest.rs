//! `GET /latest`: the release object that `specify init --template-url` reads.
//!
//! Invariant: rendered once for each change and base URL, whatever is in the directory.

use super::State;
use crate::app::error::ApiError;
use crate::app::release::Release;
use crate::app::rendered::{Rendered, View};
use crate::http::response::Response;
use crate::http::service::Request;

pub fn get(state: &State, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let rendered = state.rendered.get(View::Latest, &base, &listing, || {
        let release = Release::latest(&listing, &base);
        // Nothing in it can fail to be written as JSON: no maps, no floats.
        let body = serde_json::to_vec(&release).unwrap_or_default();
        Rendered::new("application/json", body, |head| head)
    });
    rendered.answer(request)
}
