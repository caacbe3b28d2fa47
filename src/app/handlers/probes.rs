//! Health, readiness and metrics.
//!
//! Invariant: `/healthz` and `/health` touch nothing that could block; `/readyz` fails only for a
//! reason that other servers may not share, so a full disk does not count.

use crate::app::error::ApiError;
use crate::app::state::AppState;
use crate::http::response::Response;
use crate::metrics::StorageMetrics;
use crate::storage::StorageError;
use std::sync::atomic::Ordering;

/// Not a reason to be unready: requests are answered, and another server may have the same file.
const OUTDATED: &str =
    "OK\ntokens_file cannot be used, so its last content counts; the log says why\n";

pub fn healthz() -> Response {
    plain("text/plain; charset=utf-8", "OK\n")
}

pub fn health() -> Response {
    plain("application/json", r#"{"status":"ok"}"#)
}

pub fn readyz(state: &AppState) -> Result<Response, ApiError> {
    if state.draining.load(Ordering::Relaxed) {
        return Err(ApiError::Draining);
    }
    match state.store.check_ready() {
        Ok(()) if state.tokens.is_outdated() => Ok(plain("text/plain; charset=utf-8", OUTDATED)),
        Ok(()) => Ok(healthz()),
        // A probe is answered now.
        Err(error @ StorageError::Pending(_)) => Ok(ApiError::from(error).into_response()),
        Err(error) => Err(not_ready(error.into())),
    }
}

/// For a probe, any failure of the directory is 503.
fn not_ready(error: ApiError) -> ApiError {
    match error {
        ApiError::Storage(failure) => ApiError::Unavailable(failure),
        other => other,
    }
}

pub fn metrics(state: &AppState) -> Result<Response, ApiError> {
    let listing = state.store.listing();
    if let Err(StorageError::Pending(awaited)) = listing {
        return Err(ApiError::Pending(awaited));
    }
    let numbers = listing.and_then(|listing| {
        let catalogs = listing.catalog_counts();
        Ok(StorageMetrics {
            packages: listing.packages().len(),
            stored_bytes: listing.packages().iter().map(|p| p.state.size).sum(),
            free_bytes: state.store.free_bytes()?,
            catalog_entries: catalogs.entries,
            catalog_unlisted: catalogs.unlisted,
            catalog_unread: catalogs.unread,
        })
    });
    let text = state.metrics.render(numbers.ok());
    Ok(plain("text/plain; version=0.0.4; charset=utf-8", text))
}

fn plain(content_type: &str, body: impl Into<bytes::Bytes>) -> Response {
    Response::new(200)
        .with_lines(b"Cache-Control: no-store\r\n")
        .body(content_type, body)
}
