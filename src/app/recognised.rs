//! What answers say of a package of spec-kit: its kind, id and version, and whether catalogs list
//! it.
//!
//! Invariant: a plain file has no such object; an unlisted package has one reason and one sentence.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use crate::storage::Package;
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
        let unlisted = recognised.unlisted(is_duplicate);
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
