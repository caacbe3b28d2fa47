//! A package that is opened for a download.
//!
//! Invariant: size, times, checksum and bytes of one answer belong to one state of the package,
//! whatever happens to its name meanwhile.

use super::package::PackageState;
use crate::checksum::Sha256;
use std::fs::File;

/// What is known of a package, and the way to its bytes.
#[derive(Debug)]
pub struct OpenPackage {
    /// The state when it was opened.
    pub state: PackageState,
    /// `None` until it is computed.
    pub sha256: Option<Sha256>,
    pub source: Source,
}

/// The bytes of an open package.
#[derive(Debug)]
pub enum Source {
    /// The open file.
    File(File),
}
