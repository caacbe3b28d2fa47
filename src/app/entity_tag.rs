//! The entity tag of a package, for downloads and for the conditions of writes.
//!
//! Invariant: two states of a package with different bytes have different tags. The tag is strong:
//! the checksum, or while that is not computed, everything that the file system knows of the file.

use crate::checksum::Sha256;
use crate::http::conditional::{Validators, WriteConditions};
use crate::http::fields::Fields;
use crate::storage::PackageState;
use crate::storage::{Package, Precondition};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The entity tag of a file in this state, with its quotes.
pub fn entity_tag(state: &PackageState, sha256: Option<&Sha256>) -> String {
    let nanoseconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_nanos()
    };
    match sha256 {
        Some(sha256) => ["\"", &sha256.hex(), "\""].concat(),
        None => format!(
            "\"{:x}-{:x}-{:x}-{:x}\"",
            state.identity,
            state.size,
            nanoseconds(state.modified),
            nanoseconds(state.changed)
        ),
    }
}

/// The conditions of a write, if it has any.
pub fn precondition(fields: &Fields<'_, '_>) -> Option<Precondition> {
    let conditions = WriteConditions::of(fields)?;
    Some(Arc::new(move |current: Option<&Package>| {
        let Some(package) = current else {
            return conditions.hold(None);
        };
        conditions.hold(Some(Validators {
            etag: &entity_tag(&package.state, package.sha256.as_ref()),
            modified: Some(package.state.modified),
        }))
    }))
}
