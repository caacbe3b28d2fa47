//! What operations take and give: plain data, and the reader of an object's bytes.

use crate::checksum::Sha256;
use std::fs::File;
use std::io::{self, Read};
use std::time::SystemTime;

/// An object as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Relative to the bucket's prefix.
    pub key: String,
    pub size: u64,
    /// With its quotes; empty where the store has none.
    pub etag: String,
    /// Whole seconds count: some stores have no more.
    pub modified: SystemTime,
}

/// An object as its own response has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of the whole object, also where a range was asked for.
    pub size: u64,
    /// Empty where the store has none.
    pub etag: String,
    pub modified: SystemTime,
    /// Names in lower case, without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
}

impl Head {
    pub fn metadata(&self, name: &str) -> Option<&str> {
        let mut metadata = self.metadata.iter();
        let found = metadata.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What to read of an object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Get<'a> {
    /// Otherwise `PreconditionFailed`.
    pub if_match: Option<&'a str>,
    /// Otherwise `NotModified`.
    pub if_none_match: Option<&'a str>,
    /// The first byte and the one after the last.
    pub range: Option<(u64, u64)>,
}

#[derive(Debug)]
pub struct Got {
    pub head: Head,
    pub body: Reader,
}

/// The bytes of an object as they arrive; an error where they end early.
pub struct Reader(pub(super) Box<dyn Read + Send>);

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    /// The first `size` bytes of a file, with their checksum, which the store verifies.
    File {
        file: &'a File,
        size: u64,
        sha256: Sha256,
    },
}

/// Under which condition the store takes an object; otherwise `PreconditionFailed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    None,
    /// No object has the key. Stores that ignore this overwrite: see `Probe`.
    IsNew,
    /// The object has this ETag.
    Matches(&'a str),
}

#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    pub content: Content<'a>,
    pub condition: Condition<'a>,
    /// Names in lower case; values of visible ASCII.
    pub metadata: &'a [(&'a str, &'a str)],
}
