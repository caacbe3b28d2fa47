//! One package: its name, the state of its file, and its checksum.
//!
//! Invariant: the checksum belongs to exactly this state of the file.

use super::directory::FileState;
use super::name::PackageName;
use crate::checksum::Sha256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: PackageName,
    pub state: FileState,
    /// `None` until it is computed.
    pub sha256: Option<Sha256>,
}
