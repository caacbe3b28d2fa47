//! `DELETE /assets/{filename}`.
//!
//! Invariant: 204 means durable.

use super::{State, existing_name};
use crate::app::error::ApiError;
use crate::http::response::Response;
use std::sync::atomic::Ordering;

pub fn delete(state: &State, segment: &str) -> Result<Response, ApiError> {
    let name = existing_name(segment)?;
    state
        .store
        .delete(&name)
        .map_err(|error| ApiError::about(name.as_str(), error))?;
    state.metrics.deleted.fetch_add(1, Ordering::Relaxed);
    log::info!(package = name.as_str(); "deleted");
    Ok(Response::new(204))
}
