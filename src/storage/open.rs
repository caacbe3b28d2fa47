//! A package that is opened for a download.
//!
//! Invariant: size, times, checksum and bytes of one answer belong to one state of the package,
//! whatever happens to its name meanwhile.

use super::error::Result;
use super::package::PackageState;
use crate::awaited::Arriving;
use crate::checksum::Sha256;
use std::fmt::Debug;
use std::fs::File;
use std::sync::Arc;

/// What is known of a package, and the way to its bytes.
#[derive(Debug)]
pub struct OpenPackage {
    /// The state when it was opened.
    pub state: PackageState,
    /// `None` until it is computed.
    pub sha256: Option<Sha256>,
    pub source: Source,
}

/// The way to the bytes of an open package.
#[derive(Debug)]
pub enum Source {
    /// The open file, which other downloads may share.
    File(Arc<File>),
    /// Nothing is done for the bytes before they are asked for.
    Deferred(Box<dyn Deferred>),
}

/// A package whose bytes may have to be fetched first.
pub trait Deferred: Debug + Send {
    /// The bytes. `may_redirect`: the client can be sent elsewhere for them.
    fn bytes(self: Box<Self>, may_redirect: bool) -> Result<PackageBytes>;
}

/// The bytes of an open package.
#[derive(Debug)]
pub enum PackageBytes {
    File(Arc<File>),
    /// They are being fetched.
    Arriving(Arc<dyn Arriving>),
    /// The client fetches them from this URL.
    Elsewhere(String),
}

impl Source {
    /// The bytes. `may_redirect`: the client can be sent elsewhere for them.
    pub fn bytes(self, may_redirect: bool) -> Result<PackageBytes> {
        match self {
            Self::File(file) => Ok(PackageBytes::File(file)),
            Self::Deferred(deferred) => deferred.bytes(may_redirect),
        }
    }
}
