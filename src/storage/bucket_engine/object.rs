//! One object of the bucket as a package.
//!
//! Objects that a server has put carry metadata: `sha256`, the digest of the bytes; `modified`, the
//! time of the package in nanoseconds since 1970; `upload`, the random number of the upload, by
//! which its server recognises it. Objects that were put by hand have none of these: their time is
//! the store's, and their digest is computed.
//!
//! Invariant: a package's state changes with the object's entity tag.

use crate::checksum::Sha256;
use crate::clock;
use crate::s3;
use crate::storage::content::Content;
use crate::storage::name::PackageName;
use crate::storage::package::{Package, PackageState};
use sha2::Digest;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const SHA256: &str = "sha256";
pub const MODIFIED: &str = "modified";
pub const UPLOAD: &str = "upload";

#[derive(Clone, Debug)]
pub struct Object {
    /// As the store writes it; empty where it has none, as of a file that was copied into a
    /// gateway's folder. Size and time tell such an object's states apart.
    pub etag: Arc<str>,
    /// The store's time, in whole seconds; `None` where this server put the object and has not
    /// listed it since.
    pub last_modified: Option<SystemTime>,
    pub package: Arc<Package>,
}

impl Object {
    /// The object that a request for its metadata found.
    pub fn of(name: PackageName, head: &s3::Head) -> Self {
        let nanoseconds = head.metadata(MODIFIED).and_then(|text| text.parse().ok());
        let modified = nanoseconds.map_or(head.modified, |nanoseconds| {
            UNIX_EPOCH + Duration::from_nanos(nanoseconds)
        });
        let sha256 = head
            .metadata(SHA256)
            .and_then(|text| Sha256::from_hex(text.as_bytes()));
        Self {
            etag: head.etag.as_str().into(),
            last_modified: Some(whole_seconds(head.modified)),
            package: Arc::new(Package {
                name,
                state: state(&head.etag, head.size, modified),
                sha256,
                content: Content::Unread,
            }),
        }
    }

    /// The entity tag as a condition of requests, where there is one.
    pub fn condition(&self) -> Option<&str> {
        (!self.etag.is_empty()).then_some(&*self.etag)
    }

    /// The same object, with the time that a listing reports.
    #[must_use]
    pub fn with_time(mut self, listed: SystemTime) -> Self {
        self.last_modified = Some(whole_seconds(listed));
        self
    }

    /// Whether a listing shows this very object.
    pub fn is_listed_as(&self, listed: &s3::Object) -> bool {
        let is_time = |time: SystemTime| time == whole_seconds(listed.modified);
        *self.etag == *listed.etag
            && self.package.state.size == listed.size
            && self.last_modified.is_none_or(is_time)
    }

    /// Whether the metadata of an object is that of this very one.
    pub fn is_headed_as(&self, head: &s3::Head) -> bool {
        let is_time = |time: SystemTime| time == whole_seconds(head.modified);
        *self.etag == *head.etag
            && self.package.state.size == head.size
            && self.last_modified.is_none_or(is_time)
    }
}

/// The state of a package whose object has this entity tag.
pub fn state(etag: &str, size: u64, modified: SystemTime) -> PackageState {
    let hash: [u8; 32] = sha2::Sha256::digest(etag).into();
    let first = hash[..8].iter();
    PackageState {
        identity: first.fold(0, |number, byte| number << 8 | u64::from(*byte)),
        size,
        modified,
        changed: modified,
    }
}

/// Nanoseconds since 1970, for the metadata.
pub fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

/// Stores differ in how exactly they report times.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// 128 random bits as hexadecimal digits.
pub fn random_number() -> String {
    let part = || RandomState::new().hash_one(clock::wall_now());
    format!("{:016x}{:016x}", part(), part())
}
