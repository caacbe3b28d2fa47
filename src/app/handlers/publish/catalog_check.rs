//! What a publish does about spec-kit's catalogs: refuses, where the request demands it, and logs,
//! where a package is left out.
//!
//! Invariant: without `catalog=required` a publish never fails for a manifest.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use crate::app::error::{ApiError, UploadError};
use crate::app::state::AppState;
use crate::storage::{CompleteUpload, Content, Package};

/// Whether an older package has the kind, id and version of a listed one.
pub fn is_duplicate(state: &AppState, package: &Package) -> bool {
    let Some(recognised) = package.content.recognised() else {
        return false;
    };
    let listing = state.store.last_listing();
    let original = listing.original(package.name.as_str(), recognised, package.sha256);
    original.is_some()
}

/// Refuses an upload that catalogs would leave out, whatever else is published. Duplicates are
/// refused where the change is made.
pub fn check(upload: &CompleteUpload) -> Result<(), ApiError> {
    let Content::Package(recognised) = &upload.content else {
        return Err(UploadError::NotPackage.into());
    };
    match recognised.unlisted(false) {
        Some(unlisted) => Err(UploadError::Unlisted(unlisted).into()),
        None => Ok(()),
    }
}

/// Logs that catalogs leave a package out, if they do.
pub fn log(package: &Package, is_duplicate: bool) {
    if let Some(recognised) = package.content.recognised()
        && let Some(unlisted) = recognised.unlisted(is_duplicate)
    {
        recognised.log_unlisted(package.name.as_str(), &unlisted);
    }
}
