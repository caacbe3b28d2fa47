//! The parts that both ways to publish share: the checks of a head, and the end of an upload.
//!
//! Invariants: a request that its head shows to be refused is refused before its body; after any
//! error nothing is stored, and an existing package is untouched.
//!
//! Source: docs/contract.md, section 1, "Upload errors".

pub mod form;
pub mod raw;

use crate::app::error::{ApiError, UploadError};
use crate::app::release::Metadata;
use crate::app::rendered::json;
use crate::app::state::AppState;
use crate::checksum::Sha256;
use crate::http::response::Response;
use crate::storage::{PackageName, PendingUpload, Published, StorageError};
use serde::Serialize;
use std::sync::atomic::Ordering;

/// The options in the head of an upload.
pub struct Intent {
    /// Whether an existing package of the name may be replaced.
    pub overwrite: bool,
    /// The checksum that the client states.
    pub stated: Option<Sha256>,
}

/// Refuses an announced length that exceeds the limit or the free space. `overhead_bytes` is what
/// the body may hold in addition to the file.
pub fn check_length(state: &AppState, length: u64, overhead_bytes: u64) -> Result<(), ApiError> {
    let least_file = length.saturating_sub(overhead_bytes);
    match state.max_upload_bytes {
        Some(limit) if least_file > limit => Err(UploadError::TooLarge(limit).into()),
        _ => Ok(state.store.check_space(least_file)?),
    }
}

/// Adds bytes to an upload, within the limit.
pub fn write(state: &AppState, upload: &mut PendingUpload, bytes: &[u8]) -> Result<(), ApiError> {
    match state.max_upload_bytes {
        Some(limit) if upload.size() + bytes.len() as u64 > limit => {
            Err(UploadError::TooLarge(limit).into())
        }
        _ => Ok(upload.write(bytes)?),
    }
}

pub fn publish(
    state: &AppState,
    upload: PendingUpload,
    name: &PackageName,
    intent: &Intent,
) -> Result<Published, ApiError> {
    if upload.size() == 0 {
        return Err(UploadError::EmptyFile.into());
    }
    let upload = upload.complete();
    if let Some(stated) = intent.stated.filter(|stated| *stated != upload.sha256) {
        let received = upload.sha256;
        return Err(UploadError::DigestMismatch { stated, received }.into());
    }
    let about = |error: StorageError| ApiError::about(name.as_str(), error);
    let published = state
        .store
        .publish(upload, name, intent.overwrite)
        .map_err(about)?;
    let package = &published.package;
    state.metrics.published.fetch_add(1, Ordering::Relaxed);
    let swept = published.removed.len() as u64;
    state.metrics.swept.fetch_add(swept, Ordering::Relaxed);
    let sha256 = package
        .sha256
        .map(|sha256| sha256.hex())
        .unwrap_or_default();
    log::info!(
        package = name.as_str(), size = package.state.size, sha256 = sha256.as_str(),
        replaced = published.replaced;
        "published"
    );
    Ok(published)
}

/// The answer to a publish: the package's metadata, and the packages that retention removed.
#[derive(Serialize)]
struct Answer<'p> {
    #[serde(flatten)]
    metadata: Metadata<'p>,
    removed: Vec<&'p str>,
}

/// Answers a publish. `created_status` is the status if no package was replaced.
pub fn answer(published: &Published, base: &str, created_status: u16) -> Response {
    let answer = Answer {
        metadata: Metadata::new(&published.package, base),
        removed: published.removed.iter().map(PackageName::as_str).collect(),
    };
    let status = if published.replaced {
        200
    } else {
        created_status
    };
    json(status, &answer)
}
