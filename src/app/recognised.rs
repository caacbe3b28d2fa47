//! What answers say of a package of spec-kit: its kind, id and version, and whether catalogs list it.
//!
//! Invariant: a plain file has no such object; an unlisted package has one reason and one sentence.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use crate::app::error::{ApiError, UploadError};
use crate::app::state::AppState;
use crate::manifest::outcome::{Reason, Recognised, Unlisted};
use crate::storage::{CompleteUpload, Content, Package, PackageName};
use serde::Serialize;

/// The member `package` of answers.
#[derive(Debug, Serialize)]
pub struct PackageObject<'p> {
    kind: &'static str,
    id: Option<&'p str>,
    version: Option<&'p str>,
    listed: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl<'p> PackageObject<'p> {
    /// Describes a package of spec-kit; `None` for any other file.
    pub fn new(package: &'p Package, is_duplicate: bool) -> Option<Self> {
        let recognised = package.content.recognised()?;
        let unlisted = unlisted(recognised, is_duplicate);
        Some(Self {
            kind: recognised.kind.name(),
            id: recognised.id.as_deref(),
            version: recognised.version.as_deref(),
            listed: unlisted.is_none(),
            reason: unlisted.as_ref().map(|unlisted| unlisted.reason.name()),
            message: unlisted.map(|unlisted| unlisted.message),
        })
    }
}

/// Why catalogs leave a package out.
pub fn unlisted(recognised: &Recognised, is_duplicate: bool) -> Option<Unlisted> {
    match &recognised.listing {
        Err(unlisted) => Some(unlisted.clone()),
        Ok(_) if is_duplicate => {
            let message = "an older package has the same id and version with other bytes";
            Some(Unlisted::new(Reason::Duplicate, message))
        }
        Ok(_) => None,
    }
}

/// Whether an older package has the kind, id and version of a listed one.
pub fn is_duplicate(state: &AppState, package: &Package) -> bool {
    let Some(recognised) = package.content.recognised() else {
        return false;
    };
    let listing = state.store.last_listing();
    let original = listing.original(package.name.as_str(), recognised, package.sha256);
    original.is_some()
}

/// Refuses an upload that catalogs would leave out.
pub fn check(
    state: &AppState,
    name: &PackageName,
    upload: &CompleteUpload,
) -> Result<(), ApiError> {
    let Content::Package(recognised) = &upload.content else {
        return Err(UploadError::NotPackage.into());
    };
    let listing = state.store.last_listing();
    let original = listing.original(name.as_str(), recognised, Some(upload.sha256));
    match unlisted(recognised, original.is_some()) {
        Some(unlisted) => Err(UploadError::Unlisted(unlisted).into()),
        None => Ok(()),
    }
}

/// Logs that catalogs leave a package out, if they do.
pub fn log(package: &Package, is_duplicate: bool) {
    if let Some(recognised) = package.content.recognised()
        && let Some(unlisted) = unlisted(recognised, is_duplicate)
    {
        recognised.log_unlisted(package.name.as_str(), &unlisted);
    }
}
