//! `GET /packages`: the list of packages for people and scripts; `GET /` redirects to it.
//!
//! Invariant: both forms are rendered once for each change and base URL.

use crate::app::answer::{Form, to_json};
use crate::app::error::ApiError;
use crate::app::negotiate::{self, Format};
use crate::app::public_url;
use crate::app::release::Metadata;
use crate::app::rendered::{Source, View};
use crate::app::state::AppState;
use crate::app::views;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::http::template::MARKS;

pub fn get(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let format = negotiate::format(request)?;
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let source = Source::of(&listing);
    match format {
        Format::Html => {
            let values = views::values(&base);
            let render = || views::packages(&listing).into_bytes();
            let rendered = state
                .rendered
                .get(View::PackagesHtml, source, values, &render);
            let [policy, referrer] = views::headers();
            let form = Form {
                content_type: views::CONTENT_TYPE,
                headers: &[("Vary", "Accept"), policy, referrer],
            };
            rendered.answer(request, form)
        }
        Format::Json => {
            let values = [base.into()].into();
            let rendered = state.rendered.get(View::PackagesJson, source, values, &|| {
                let duplicates = listing.selection().duplicates;
                let list = listing.packages().iter().map(|package| {
                    let is_duplicate = duplicates.contains(package.name.as_str());
                    Metadata::new(package, MARKS[0], is_duplicate)
                });
                to_json(&list.collect::<Vec<_>>())
            });
            rendered.answer(request, Form::json(&[("Vary", "Accept")]))
        }
    }
}

/// The redirect from `/` with the query, under the public prefix if there is one.
pub fn root(state: &AppState, request: &Request<'_>) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let query = request.target.query;
    let separator = if query.is_empty() { "" } else { "?" };
    let location = format!("{}/packages{separator}{query}", public_url::path_of(&base));
    Ok(Response::new(303).header("Location", &location))
}
