//! The parts that both ways to publish share: the checks of a head, and the end of an upload.
//!
//! Invariants: a request that its head shows to be refused is refused before its body; after any
//! error nothing is stored, and an existing package is untouched.
//!
//! Source: docs/contract.md, section 1, "Upload errors".

mod catalog_check;
pub mod form;
pub mod raw;

use crate::app::answer::json;
use crate::app::auth;
use crate::app::error::{ApiError, UploadError};
use crate::app::release::Metadata;
use crate::app::state::AppState;
use crate::checksum::Sha256;
use crate::http::response::Response;
use crate::http::service::Reply;
use crate::storage::{
    CompleteUpload, PackageName, PendingUpload, Publish, Published, Requirement, StorageError,
};
use crate::tokens::{Grant, Right};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The options in the head of an upload.
pub struct Intent {
    /// What the token of the request may.
    pub grant: Arc<Grant>,
    pub requirement: Requirement,
    /// The checksum that the client states.
    pub stated: Option<Sha256>,
}

/// Refuses an announced length that exceeds the limit, the free space or the room in the queue of
/// changes. `overhead_bytes` is what the body may hold in addition to the file.
pub fn check_length(state: &AppState, length: u64, overhead_bytes: u64) -> Result<(), ApiError> {
    let least_file = length.saturating_sub(overhead_bytes);
    match state.max_upload_bytes {
        Some(limit) if least_file > limit => Err(UploadError::TooLarge(limit).into()),
        _ => Ok(state.store.check_room(least_file)?),
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

/// The error for a publish under a name that the storage refuses.
pub fn refusal(
    state: &AppState,
    grant: &Arc<Grant>,
    name: &PackageName,
    error: StorageError,
) -> ApiError {
    match error {
        StorageError::OverwriteForbidden => {
            auth::forbidden(state, grant, Right::Overwrite, Some(name))
        }
        error => ApiError::about(name.as_str(), error),
    }
}

/// Builds the answer to a publish.
pub type BuildAnswer = Box<dyn FnOnce(&Published) -> Response + Send>;

/// Hands a complete upload over to the storage, which answers later.
pub fn publish(
    state: Arc<AppState>,
    upload: PendingUpload,
    name: PackageName,
    intent: Intent,
    answer: BuildAnswer,
) -> Reply {
    let upload = match complete(upload, &name, &intent) {
        Ok(upload) => upload,
        Err(error) => return error.into_response().into(),
    };
    let grant = intent.grant;
    Reply::Later(Box::new(move |completion| {
        let answering = Arc::clone(&state);
        let about = name.clone();
        let done = move |result: Result<Published, StorageError>| {
            completion.complete(match result {
                Ok(published) => {
                    record(&answering, &published, &grant);
                    answer(&published)
                }
                Err(error) => refusal(&answering, &grant, &about, error).into_response(),
            });
        };
        let publish = Publish {
            name,
            requirement: intent.requirement,
            done: Box::new(done),
        };
        state.store.publish(upload, publish);
    }))
}

/// Checks the received bytes.
fn complete(
    upload: PendingUpload,
    name: &PackageName,
    intent: &Intent,
) -> Result<CompleteUpload, ApiError> {
    if upload.size() == 0 {
        return Err(UploadError::EmptyFile.into());
    }
    let upload = upload.complete(name);
    match intent.stated {
        Some(stated) if stated != upload.sha256 => {
            let received = upload.sha256;
            return Err(UploadError::DigestMismatch { stated, received }.into());
        }
        _ if intent.requirement.listed => catalog_check::check(&upload)?,
        _ => {}
    }
    Ok(upload)
}

/// Counts and logs a publish.
fn record(state: &AppState, published: &Published, grant: &Grant) {
    let package = &published.package;
    state.metrics.published.fetch_add(1, Ordering::Relaxed);
    let swept = published.removed.len() as u64;
    state.metrics.swept.fetch_add(swept, Ordering::Relaxed);
    let sha256 = package
        .sha256
        .map(|sha256| sha256.hex())
        .unwrap_or_default();
    log::info!(
        package = package.name.as_str(), size = package.state.size, sha256 = sha256.as_str(),
        replaced = published.replaced, token = grant.name.as_str(),
        subject = grant.subject.as_deref();
        "published"
    );
}

/// The answer to a publish: the package's metadata, and the packages that retention removed.
#[derive(Serialize)]
struct Answer<'p> {
    #[serde(flatten)]
    metadata: Metadata<'p>,
    removed: Vec<&'p str>,
}

/// Answers a publish. `created_status` is the status if no package was replaced.
pub fn answer(
    state: &AppState,
    published: &Published,
    base: &str,
    created_status: u16,
) -> Response {
    let is_duplicate = catalog_check::is_duplicate(state, &published.package);
    catalog_check::log(&published.package, is_duplicate);
    let answer = Answer {
        metadata: Metadata::new(&published.package, base, is_duplicate),
        removed: published.removed.iter().map(PackageName::as_str).collect(),
    };
    let status = if published.replaced {
        200
    } else {
        created_status
    };
    json(status, &answer)
}
