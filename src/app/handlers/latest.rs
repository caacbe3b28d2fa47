//! `GET /latest`: the release object that `specify init --template-url` reads.

use crate::app::answer::{Form, to_json};
use crate::app::error::ApiError;
use crate::app::release::Release;
use crate::app::rendered::{Source, View};
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::http::template::MARKS;

pub fn get(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    // Downloads alone cause no rendering: the counts are those of the last change.
    let source = Source::of(&listing);
    let values = [base.into()].into();
    let rendered = state.rendered.get(View::Latest, source, values, &|| {
        let count = |name: &str| state.downloads.of(name);
        to_json(&Release::latest(&state.ordered(&listing), MARKS[0], &count))
    });
    rendered.answer(request, Form::json(&[]))
}
