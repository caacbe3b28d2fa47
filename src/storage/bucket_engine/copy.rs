//! Copies all packages of a directory into a bucket, or of a bucket into a directory.
//!
//! Invariants: a package that is there already with the same bytes is left as it is, so a copy that
//! was interrupted can be begun again; one with other bytes is reported and left too. Every copied
//! byte is compared with its checksum on the way, times are kept, and nothing is removed.

use super::faults;
use super::object::{self, Object};
use super::verify;
use crate::checksum::Sha256;
use crate::limits::HASH_BUFFER_BYTES;
use crate::s3::{Bucket, Condition, Content, Get, Put, S3ErrorKind};
use crate::storage::directory_engine::import::Volume;
use crate::storage::error::{Result, StorageError};
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use crate::storage::upload::PendingUpload;
use crate::storage::verification::{Event, Notify, Progress};
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

/// What became of one package.
enum Copied {
    Now,
    /// It was there with the same bytes.
    Before,
}

const OTHER_BYTES: &str = "a package of this name with other bytes is there already";
const WITHOUT_CHECKSUM: &str =
    "a package of this name without a checksum is there already; compare the two by hand";

fn report(
    name: &PackageName,
    outcome: Result<Copied>,
    progress: &mut Progress,
    notify: Notify<'_>,
) {
    progress.packages += 1;
    match outcome {
        Ok(Copied::Now) => progress.copied += 1,
        Ok(Copied::Before) => {}
        Err(error) => {
            progress.wrong += 1;
            let why: &dyn std::fmt::Display = match &error {
                StorageError::Exists(Some(_)) => &OTHER_BYTES,
                StorageError::Exists(None) => &WITHOUT_CHECKSUM,
                StorageError::NotFound => &"it changed while it was read; begin the copy again",
                error => error,
            };
            notify(Event::Found(name.as_str(), why), progress);
        }
    }
}

/// Whether what is there is this package.
fn is_same(there: Option<Sha256>, sha256: Sha256) -> Result<Copied> {
    match there {
        Some(there) if there == sha256 => Ok(Copied::Before),
        other => Err(StorageError::Exists(other)),
    }
}

pub fn into_bucket(volume: &Volume, bucket: &Bucket, notify: Notify<'_>) -> Result<Progress> {
    let packages = volume.packages()?;
    let mut progress = Progress {
        packages_total: packages.len(),
        bytes_total: packages.iter().map(|package| package.state.size).sum(),
        ..Progress::default()
    };
    for package in packages {
        let outcome = store(volume, bucket, &package);
        progress.bytes += package.state.size;
        report(&package.name, outcome, &mut progress, notify);
        notify(Event::Read, &progress);
    }
    Ok(progress)
}

fn store(volume: &Volume, bucket: &Bucket, package: &Package) -> Result<Copied> {
    let name = package.name.as_str();
    let there = match bucket.head(name) {
        Ok(head) => Some(Object::of(package.name.clone(), &head).package.sha256),
        Err(error) if error.kind == S3ErrorKind::NotFound => None,
        Err(error) => return Err(faults::of("look at", name, &error)),
    };
    // What the sidecar says spares reading a package that is there.
    if let (Some(there), Some(sha256)) = (there, package.sha256) {
        return is_same(there, sha256);
    }
    let (file, sha256) = volume.read(package)?;
    if let Some(there) = there {
        return is_same(there, sha256);
    }
    if let Some(stated) = package.sha256.filter(|stated| *stated != sha256) {
        let object = Object {
            etag: "".into(),
            last_modified: None,
            package: Arc::new(package.clone()),
        };
        return Err(faults::damaged("copy", &object, &stated, &sha256));
    }
    let (hex, modified) = (sha256.hex(), object::nanoseconds(package.state.modified));
    let number = object::random_number();
    let put = Put {
        content: Content::File {
            file: &file,
            size: package.state.size,
            sha256,
        },
        condition: Condition::IsNew,
        metadata: &[
            (object::SHA256, &hex),
            (object::MODIFIED, &modified),
            (object::UPLOAD, &number),
        ],
    };
    if let Err(error) = bucket.put(name, &put) {
        // The answer may be lost, or a server may have published the name meanwhile.
        return match bucket.head(name) {
            Ok(head) => is_same(
                Object::of(package.name.clone(), &head).package.sha256,
                sha256,
            )
            .map(|_| Copied::Now),
            Err(_) => Err(faults::of("store", name, &error)),
        };
    }
    if !volume.is_unchanged(package, &file) {
        return Err(StorageError::NotFound);
    }
    Ok(Copied::Now)
}

pub fn into_directory(
    bucket: &Bucket,
    volume: &mut Volume,
    notify: Notify<'_>,
) -> Result<Progress> {
    let there: HashMap<PackageName, Arc<Package>> = volume
        .packages()?
        .into_iter()
        .map(|package| (package.name.clone(), package))
        .collect();
    let (names, mut progress) = verify::packages(bucket)?;
    for name in names {
        let there = there.get(&name).map(AsRef::as_ref);
        let outcome = fetch(bucket, volume, &name, there, &mut progress, notify);
        report(&name, outcome, &mut progress, notify);
    }
    Ok(progress)
}

fn fetch(
    bucket: &Bucket,
    volume: &mut Volume,
    name: &PackageName,
    there: Option<&Package>,
    progress: &mut Progress,
    notify: Notify<'_>,
) -> Result<Copied> {
    let got = bucket.get(name.as_str(), &Get::default());
    let mut got = got.map_err(|error| faults::of("fetch", name.as_str(), &error))?;
    let object = Object::of(name.clone(), &got.head);
    if let Some(there) = there {
        let known = there
            .sha256
            .map_or_else(|| volume.read(there).map(|(_, it)| it), Ok)?;
        if let Some(sha256) = object.package.sha256 {
            progress.bytes += got.head.size;
            return is_same(Some(known), sha256);
        }
    }
    let mut upload = PendingUpload::new(volume.path())?;
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    loop {
        let read = got.body.read(&mut buffer);
        match read.map_err(|error| faults::unavailable("fetch", &object, &error.to_string()))? {
            0 => break,
            length => {
                upload.write(&buffer[..length])?;
                progress.bytes += length as u64;
                notify(Event::Read, progress);
            }
        }
    }
    let upload = upload.complete(name);
    if let Some(stated) = object.package.sha256.filter(|it| *it != upload.sha256) {
        return Err(faults::damaged("copy", &object, &stated, &upload.sha256));
    }
    if let Some(there) = there {
        let (_, known) = volume.read(there)?;
        return is_same(Some(known), upload.sha256);
    }
    volume.place(name, upload, object.package.state.modified)?;
    Ok(Copied::Now)
}
