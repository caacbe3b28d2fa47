//! One package: its name, its state, its checksum, and what it is to spec-kit.
//!
//! Invariant: checksum and content belong to exactly this state.

use super::content::Content;
use super::name::PackageName;
use crate::checksum::Sha256;
use std::cmp::{Ordering, Reverse};
use std::time::SystemTime;

/// What distinguishes one state of a package from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageState {
    /// A file's inode, or the first bytes of the SHA-256 of an object's entity tag.
    pub identity: u64,
    /// In bytes.
    pub size: u64,
    /// When the content last changed. Anyone may set this time.
    pub modified: SystemTime,
    /// When the inode or the object last changed. Nobody can set this time.
    pub changed: SystemTime,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: PackageName,
    pub state: PackageState,
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
