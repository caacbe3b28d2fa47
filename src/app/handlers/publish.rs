//! What both ways to publish have in common: the checks of a head, and the end of an upload.
//!
//! Invariants: what can be refused before the body is refused before the body; after any error nothing is stored and what
//! was there is untouched.
//!
//! Source: the project's contract, section 1, "Upload errors".

use super::State;
use crate::app::error::{ApiError, UploadError};
use crate::app::release::Metadata;
use crate::http::digest::Sha256;
use crate::http::response::Response;
use crate::storage::{PackageName, PendingUpload, Published, StorageError};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the head of an upload said.
pub struct Intent {
    /// Whether a package of the name may be replaced.
    pub overwrite: bool,
    /// The checksum that the client states.
    pub stated: Option<Sha256>,
    /// The base of the URL in the answer.
    pub base: String,
}

/// Refuses a body of an announced length that cannot be taken: over the limit, or more than there is space for.
/// `overhead_bytes`: what the body may hold beside the file.
pub fn check_length(state: &State, length: u64, overhead_bytes: u64) -> Result<(), ApiError> {
    let least_file = length.saturating_sub(overhead_bytes);
    match state.max_upload_bytes {
        Some(limit) if least_file > limit => Err(UploadError::TooLarge(limit).into()),
        _ => Ok(state.store.check_space(least_file)?),
    }
}

/// Adds bytes to an upload, within the limit.
pub fn write(state: &State, upload: &mut PendingUpload, bytes: &[u8]) -> Result<(), ApiError> {
    match state.max_upload_bytes {
        Some(limit) if upload.size() + bytes.len() as u64 > limit => {
            Err(UploadError::TooLarge(limit).into())
        }
        _ => Ok(upload.write(bytes)?),
    }
}

/// The answer to a publish: the package's metadata, and what made room for it.
#[derive(Serialize)]
struct Answer<'p> {
    #[serde(flatten)]
    metadata: Metadata<'p>,
    removed: Vec<&'p str>,
}

/// Publishes a complete upload. `created_status`: what to answer where nothing was replaced.
pub fn publish(
    state: &Arc<State>,
    upload: PendingUpload,
    name: &PackageName,
    intent: &Intent,
    created_status: u16,
) -> Result<Response, ApiError> {
    if upload.size() == 0 {
        return Err(UploadError::EmptyFile.into());
    }
    let upload = upload.complete();
    if let Some(stated) = intent.stated.filter(|stated| *stated != upload.sha256) {
        let received = upload.sha256;
        return Err(UploadError::DigestMismatch { stated, received }.into());
    }
    let about = |error: StorageError| ApiError::about(name.as_str(), error);
    let published = upload.publish(name, intent.overwrite).map_err(about)?;
    let Published {
        package,
        replaced,
        removed,
    } = &published;
    state.metrics.published.fetch_add(1, Ordering::Relaxed);
    state
        .metrics
        .swept
        .fetch_add(removed.len() as u64, Ordering::Relaxed);
    let sha256 = package
        .sha256
        .map(|sha256| sha256.hex())
        .unwrap_or_default();
    log::info!(
        package = name.as_str(), size = package.state.size, sha256 = sha256.as_str(), replaced = *replaced;
        "published"
    );
    let answer = Answer {
        metadata: Metadata::new(package, &intent.base),
        removed: removed.iter().map(PackageName::as_str).collect(),
    };
    // Nothing in it can fail to be written as JSON: no maps, no floats.
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    let status = if *replaced { 200 } else { created_status };
    Ok(Response::new(status)
        .header("Cache-Control", "no-store")
        .body("application/json", body))
}
