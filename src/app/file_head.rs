//! The header fields of downloads, kept for packages that are downloaded again.
//!
//! Invariant: kept fields belong to the name, the state and the checksum of the package that they
//! are sent for.

use crate::app::entity_tag::entity_tag;
use crate::app::release::PACKAGE_CONTENT_TYPE;
use crate::checksum::Sha256;
use crate::date;
use crate::http::digest;
use crate::http::disposition;
use crate::http::response::push_line;
use crate::limits::FILE_HEADS_MAX;
use crate::storage::{OpenPackage, PackageName, PackageState};
use std::sync::{Arc, Mutex, PoisonError};

pub struct FileHead {
    name: PackageName,
    state: PackageState,
    sha256: Option<Sha256>,
    /// The entity tag, with its quotes.
    pub etag: String,
    /// Complete lines of each answer about the file.
    pub about: Vec<u8>,
    /// Complete lines of an answer with bytes of the file.
    pub content: Vec<u8>,
}

impl FileHead {
    fn new(name: &PackageName, package: &OpenPackage) -> Self {
        let etag = entity_tag(&package.state, package.sha256.as_ref());
        let mut about = Vec::new();
        push_line(&mut about, "ETag", &etag);
        push_line(
            &mut about,
            "Last-Modified",
            &date::http(package.state.modified),
        );
        about.extend_from_slice(b"Cache-Control: no-cache\r\nAccept-Ranges: bytes\r\n");
        let mut content = Vec::new();
        if let Some(sha256) = package.sha256 {
            push_line(&mut content, "Repr-Digest", &digest::member(&sha256));
        }
        push_line(&mut content, "Content-Type", PACKAGE_CONTENT_TYPE);
        let disposition = disposition::attachment(name.as_str());
        push_line(&mut content, "Content-Disposition", &disposition);
        Self {
            name: name.clone(),
            state: package.state,
            sha256: package.sha256,
            etag,
            about,
            content,
        }
    }
}

/// The fields of the packages that were downloaded last.
#[derive(Default)]
pub struct FileHeads(Mutex<Vec<Arc<FileHead>>>);

impl FileHeads {
    pub fn of(&self, name: &PackageName, package: &OpenPackage) -> Arc<FileHead> {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = heads.iter().find(|head| {
            head.state == package.state && head.sha256 == package.sha256 && head.name == *name
        });
        if let Some(head) = kept {
            return Arc::clone(head);
        }
        let head = Arc::new(FileHead::new(name, package));
        if heads.len() == FILE_HEADS_MAX {
            heads.remove(0);
        }
        heads.push(Arc::clone(&head));
        head
    }
}
