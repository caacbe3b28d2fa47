//! One package: its name, the state of its file, and its checksum.
//!
//! Invariant: the checksum belongs to exactly this state of the file.

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
}

/// The order in which packages are listed: newest first, ties by name ascending.
pub fn age_order(one: &Package, other: &Package) -> Ordering {
    (Reverse(one.state.modified), &one.name).cmp(&(Reverse(other.state.modified), &other.name))
}
