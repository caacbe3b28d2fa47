//! What machines ask about the server itself.
//!
//! Invariant: `/healthz` and `/health` touch nothing that could block; `/readyz` says no for a reason that sending
//! requests elsewhere would help with, so a full disk is none.

use super::State;
use crate::app::error::ApiError;
use crate::http::response::Response;
use crate::metrics::StorageMetrics;
use std::sync::atomic::Ordering;

pub fn healthz() -> Response {
    plain("text/plain; charset=utf-8", "OK")
}

pub fn health() -> Response {
    plain("application/json", r#"{"status":"ok"}"#)
}

pub fn readyz(state: &State) -> Result<Response, ApiError> {
    if state.draining.load(Ordering::Relaxed) {
        return Err(ApiError::Draining);
    }
    match state.store.check_ready() {
        Ok(()) => Ok(healthz()),
        Err(error) => Err(not_ready(error.into())),
    }
}

/// Whatever is wrong with the directory, for a probe it is 503.
fn not_ready(error: ApiError) -> ApiError {
    match error {
        ApiError::Storage(failure) => ApiError::Unavailable(failure),
        other => other,
    }
}

pub fn metrics(state: &State) -> Response {
    let numbers = state.store.listing().and_then(|listing| {
        Ok(StorageMetrics {
            packages: listing.packages().len(),
            stored_bytes: listing.packages().iter().map(|p| p.state.size).sum(),
            free_bytes: state.store.free_bytes()?,
        })
    });
    let text = state.metrics.render(numbers.ok());
    plain("text/plain; version=0.0.4; charset=utf-8", text)
}

fn plain(content_type: &str, body: impl Into<bytes::Bytes>) -> Response {
    Response::new(200)
        .header("Cache-Control", "no-store")
        .body(content_type, body)
}
