//! `GET /catalog.json`, `GET /catalogs/{kind}.json` and `GET /assets/{filename}/{path}`: what
//! spec-kit's `specify` reads.
//!
//! Invariants: a catalog is complete, or the answer is 503: clients keep what they get for an hour.
//! Documents are rendered once for each change and base URL. Files are served of listed step
//! packages only, and slow clients share one copy of each.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use super::lookup::existing_name;
use crate::app::answer::{Form, no_values};
use crate::app::catalog;
use crate::app::catalog_views::is_accepted;
use crate::app::error::{ApiError, NotFound};
use crate::app::release::PACKAGE_CONTENT_TYPE;
use crate::app::rendered::{Source, View};
use crate::app::state::AppState;
use crate::http::disposition;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::http::target;
use crate::manifest::kind::Kind;
use crate::storage::releases::stable_id;
use std::sync::atomic::Ordering;

/// The catalog of one kind, or of all.
pub fn get(
    state: &AppState,
    request: &Request<'_>,
    kind: Option<Kind>,
) -> Result<Response, ApiError> {
    let base = state.public_url.base(request)?;
    let listing = state.store.listing()?;
    let unread = listing.unread();
    if unread > 0 {
        return Err(ApiError::CatalogPending(unread));
    }
    if !is_accepted(&base) && !state.warned_of_http.swap(true, Ordering::Relaxed) {
        log::warn!(
            base_url = &*base;
            "specify accepts http on the local machine only; set public_url to an https URL"
        );
    }
    let values = [base.into()].into();
    let source = Source::of(&listing);
    let rendered = state.rendered.get(View::Catalog(kind), source, values, &|| {
        let document = catalog::document(&listing.selection(), kind);
        if document.is_over {
            log::warn!(
                bytes = document.bytes.len(), catalog = kind.map_or("all", Kind::plural);
                "the catalog is larger than what specify reads; remove packages, or point it at \
                 the catalogs of single kinds"
            );
        }
        document.bytes
    });
    rendered.answer(request, Form::json(&[]))
}

/// A file of a listed step package. `path`: the package's name and the file's path.
pub fn step_file(
    state: &AppState,
    request: &Request<'_>,
    path: &str,
) -> Result<Response, ApiError> {
    let not_found = || ApiError::from(NotFound::Path(request.target.path.to_owned()));
    let (name, path) = path.split_once('/').ok_or_else(not_found)?;
    let segments = path.split('/').map(target::decode_segment);
    let path = segments
        .collect::<Option<Vec<_>>>()
        .ok_or_else(not_found)?
        .join("/");
    let listing = state.store.listing()?;
    let package = listing
        .get(existing_name(name)?.as_str())
        .ok_or_else(not_found)?;
    let manifest = package
        .content
        .recognised()
        .and_then(|found| found.listing.as_ref().ok());
    let manifest = manifest.ok_or_else(not_found)?;
    if !manifest.files.iter().any(|file| file.path == path) {
        return Err(not_found());
    }
    let bytes = state
        .store
        .step_file(package, &path)?
        .ok_or_else(not_found)?;
    let disposition = disposition::attachment(path.rsplit('/').next().unwrap_or_default());
    let view = View::StepFile(stable_id("file", &format!("{}/{path}", package.name)));
    let source = Source::of(&listing);
    let rendered = state
        .rendered
        .get(view, source, no_values(), &|| bytes.clone());
    let form = Form {
        content_type: PACKAGE_CONTENT_TYPE,
        headers: &[("Content-Disposition", &disposition)],
    };
    rendered.answer(request, form)
}
