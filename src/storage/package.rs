//! One package: its name, the state of its file, its checksum, and what it is to spec-kit.
//!
//! Invariant: checksum and content belong to exactly this state of the file.

use super::content::Content;
use super::directory::FileState;
use super::name::PackageName;
use crate::checksum::Sha256;
use std::cmp::{Ordering, Reverse};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: PackageName,
    pub state: FileState,
    /// `None` until it is computed.
    pub sha256: Option<Sha256>,
    pub content: Content,
}

impl Package {
    /// What is known of this package, and what else is known of the same state of it.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let content = match self.content {
            Content::Unread => &other.content,
            _ => &self.content,
        };
        Self {
            name: self.name.clone(),
            state: self.state,
            sha256: self.sha256.or(other.sha256),
            content: content.clone(),
        }
    }
}

/// The order in which packages are listed: newest first, ties by name ascending.
pub fn age_order(one: &Package, other: &Package) -> Ordering {
    (Reverse(one.state.modified), &one.name).cmp(&(Reverse(other.state.modified), &other.name))
}
