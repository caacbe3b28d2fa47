//! What servers have found out about the bucket's objects, kept in one object, so that a start does
//! not ask for the metadata of each: a line for each object with its entity tag, size, the store's
//! time, checksum, time, whether it is a plain file to spec-kit, and name, separated by tabs.
//!
//! Invariant: this is never the truth. A line counts only for an object that is listed with the
//! same entity tag, size and time. Without the object, or with one that is not understood, a start
//! is only slower.

use super::object::{self, Object};
use crate::checksum::Sha256;
use crate::limits::bucket::KNOWN_BYTES_MAX;
use crate::s3::{self, Bucket, Condition, Content as Bytes, Get, Put};
use crate::storage::content::Content;
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use std::collections::HashMap;
use std::fmt::Write;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const KNOWN: &str = ".release-server/known";

/// The first line; another one is not understood.
const FORMAT: &str = "release-server known 1";

/// What is known of objects, by their names.
pub type Known = HashMap<PackageName, Object>;

/// Reads what is known; nothing, where it cannot be read.
pub fn read(bucket: &Bucket) -> Known {
    let mut text = String::new();
    let read = bucket.get(KNOWN, &Get::default()).ok().and_then(|got| {
        let mut body = got.body.take(KNOWN_BYTES_MAX);
        body.read_to_string(&mut text).ok()
    });
    let mut lines = text.lines();
    if read.is_none() || lines.next() != Some(FORMAT) {
        return Known::new();
    }
    let objects = lines.filter_map(parse);
    objects.map(|it| (it.package.name.clone(), it)).collect()
}

fn parse(line: &str) -> Option<Object> {
    let mut fields = line.split('\t');
    let mut field = || fields.next();
    let etag = field()?;
    let size = field()?.parse().ok()?;
    let last_modified = time(Duration::from_secs(field()?.parse().ok()?))?;
    let sha256 = Sha256::from_hex(field()?.as_bytes())?;
    let modified = time(Duration::from_nanos(field()?.parse().ok()?))?;
    let content = match field()? {
        "plain" => Content::Plain,
        _ => Content::Unread,
    };
    let name = PackageName::parse(field()?).ok()?;
    Some(Object {
        etag: etag.into(),
        last_modified: Some(last_modified),
        package: Arc::new(Package {
            state: object::state(etag, size, modified),
            name,
            sha256: Some(sha256),
            content,
        }),
    })
}

fn time(since: Duration) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(since)
}

/// Writes what is known of these objects.
pub fn write<'o>(bucket: &Bucket, objects: impl Iterator<Item = &'o Object>) -> s3::Result<()> {
    let mut text = format!("{FORMAT}\n");
    for object in objects {
        let package = &object.package;
        let (Some(sha256), Some(last_modified)) = (package.sha256, object.last_modified) else {
            continue;
        };
        let seconds = last_modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let plain = if package.content == Content::Plain {
            "plain"
        } else {
            "-"
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{plain}\t{}",
            object.etag,
            package.state.size,
            seconds.as_secs(),
            sha256.hex(),
            object::nanoseconds(package.state.modified),
            package.name,
        );
    }
    let put = Put {
        content: Bytes::Bytes(text.as_bytes()),
        condition: Condition::None,
        metadata: &[],
    };
    bucket.put(KNOWN, &put).map(drop)
}
