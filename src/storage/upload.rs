//! Uploads: from the first byte to a complete file without a name.
//!
//! Invariant: until an engine gives it a name, an upload is a temporary file; dropped at any point
//! before, it leaves nothing.

use super::content::Content;
use super::error::{Result, errno, failed};
use super::name::PackageName;
use super::temporary::TemporaryFile;
use crate::checksum::Sha256;
use sha2::Digest;
use std::io::Write;
use std::path::{Path, PathBuf};

/// An upload that still receives bytes.
pub struct PendingUpload {
    path: PathBuf,
    temporary: TemporaryFile,
    hasher: sha2::Sha256,
    size: u64,
}

impl PendingUpload {
    /// Begins an upload into the directory at `path`.
    pub fn new(path: &Path) -> Result<Self> {
        Ok(Self {
            temporary: TemporaryFile::create(path)?,
            path: path.to_owned(),
            hasher: sha2::Sha256::new(),
            size: 0,
        })
    }

    /// Bytes received so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.temporary
            .file
            .write_all(bytes)
            .map_err(|error| failed("write an upload to", &self.path)(errno(&error)))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Ends the upload under this name: all bytes have been received.
    pub fn complete(self, name: &PackageName) -> CompleteUpload {
        CompleteUpload {
            content: Content::read(name.as_str(), &self.temporary.file),
            sha256: Sha256::new(self.hasher.finalize()),
            size: self.size,
            path: self.path,
            temporary: self.temporary,
        }
    }
}

/// An upload that has all its bytes.
pub struct CompleteUpload {
    pub sha256: Sha256,
    pub content: Content,
    /// In bytes.
    pub size: u64,
    /// The directory that it was received into.
    pub(super) path: PathBuf,
    pub(super) temporary: TemporaryFile,
}
