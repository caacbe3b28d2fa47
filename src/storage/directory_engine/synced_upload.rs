//! Making an upload durable before its package gets its name.
//!
//! Invariant: the bytes of the package are durable before it or its sidecar has a name.

use super::sidecar;
use crate::checksum::Sha256;
use crate::clock;
use crate::storage::content::Content;
use crate::storage::error::{Result, failed};
use crate::storage::temporary::TemporaryFile;
use crate::storage::upload::CompleteUpload;

/// An upload whose bytes are durable.
pub struct SyncedUpload {
    pub sha256: Sha256,
    pub content: Content,
    pub temporary: TemporaryFile,
    /// The package's sidecar, not durable; or why it could not be written.
    pub sidecar: Result<TemporaryFile>,
}

impl SyncedUpload {
    /// Makes the bytes durable. The time of the package is the time of this call.
    pub fn sync(upload: CompleteUpload) -> Result<Self> {
        let modified = clock::wall_now();
        // The file system's own clock ticks too slowly to order one publish after the next. Where
        // the time cannot be set, the order of packages with the same time is by name.
        let _ = upload.temporary.file.set_modified(modified);
        rustix::fs::fsync(&upload.temporary.file).map_err(failed("sync", &upload.path))?;
        Ok(Self {
            sha256: upload.sha256,
            content: upload.content,
            sidecar: sidecar::prepare(&upload.path, upload.sha256, modified),
            temporary: upload.temporary,
        })
    }
}
