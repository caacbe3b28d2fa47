//! Fetches every object and compares its bytes with the digest in its metadata.
//!
//! Invariants: objects are only read, and not kept. An object without a digest was put by hand;
//! that is reported and is no fault.

use super::faults;
use super::object::Object;
use crate::checksum::Sha256;
use crate::limits::HASH_BUFFER_BYTES;
use crate::s3::{Bucket, Get, S3ErrorKind};
use crate::storage::error::{Result, StorageError};
use crate::storage::name::PackageName;
use crate::storage::verification::{Event, Notify, Progress};
use sha2::Digest;
use std::io::Read;

const NO_DIGEST: &str = "its metadata has no checksum: it was not published through a server";

/// The packages in the bucket, and the progress of reading them, which begins.
pub fn packages(bucket: &Bucket) -> Result<(Vec<PackageName>, Progress)> {
    let mut names = Vec::new();
    let mut progress = Progress::default();
    let listed = bucket.list(&mut |object| {
        if let Ok(name) = PackageName::parse(&object.key) {
            progress.bytes_total += object.size;
            names.push(name);
        }
    });
    listed.map_err(|error| faults::of("list", "the bucket", &error))?;
    progress.packages_total = names.len();
    Ok((names, progress))
}

/// Compares all packages in the bucket.
pub fn verify(bucket: &Bucket, notify: Notify<'_>) -> Result<Progress> {
    let (names, mut progress) = packages(bucket)?;
    for name in names {
        match compare(bucket, &name, &mut progress, notify) {
            Ok((stated, actual)) => {
                progress.packages += 1;
                match stated {
                    None => notify(Event::Found(name.as_str(), &NO_DIGEST), &progress),
                    Some(stated) if stated == actual => {}
                    Some(stated) => {
                        progress.wrong += 1;
                        let (stated, actual) = (stated.hex(), actual.hex());
                        let why =
                            format!("damaged: the checksum is {stated}, the bytes have {actual}");
                        notify(Event::Found(name.as_str(), &why), &progress);
                    }
                }
            }
            // Deleted or replaced since it was listed.
            Err(StorageError::NotFound) => progress.packages += 1,
            Err(error) => {
                progress.packages += 1;
                progress.wrong += 1;
                notify(Event::Found(name.as_str(), &error), &progress);
            }
        }
    }
    Ok(progress)
}

/// The digest in the metadata, and that of the bytes.
fn compare(
    bucket: &Bucket,
    name: &PackageName,
    progress: &mut Progress,
    notify: Notify<'_>,
) -> Result<(Option<Sha256>, Sha256)> {
    let got = bucket.get(name.as_str(), &Get::default());
    let mut got = got.map_err(|error| match error.kind {
        S3ErrorKind::NotFound => StorageError::NotFound,
        _ => faults::of("fetch", name.as_str(), &error),
    })?;
    let object = Object::of(name.clone(), &got.head);
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    loop {
        let read = got.body.read(&mut buffer);
        match read.map_err(|error| faults::unavailable("fetch", &object, &error.to_string()))? {
            0 => break,
            length => {
                hasher.update(&buffer[..length]);
                progress.bytes += length as u64;
                notify(Event::Read, progress);
            }
        }
    }
    Ok((object.package.sha256, Sha256::new(hasher.finalize())))
}
