//! Deleting a package: `DELETE /assets/{filename}`, and by its id.
//!
//! Invariant: 204 is sent after the deletion is durable.

use crate::app::error::ApiError;
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::storage::PackageName;
use std::sync::atomic::Ordering;

pub fn delete(state: &AppState, name: &PackageName) -> Result<Response, ApiError> {
    state
        .store
        .delete(name)
        .map_err(|error| ApiError::about(name.as_str(), error))?;
    state.metrics.deleted.fetch_add(1, Ordering::Relaxed);
    log::info!(package = name.as_str(); "deleted");
    Ok(Response::new(204))
}
