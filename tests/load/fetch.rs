//! Downloads, whole, in parts and resumed, checked byte by byte as they come.
//!
//! Invariant: a returned result belongs to one version: its bytes, length, entity tag and digest
//! agree.

use crate::client::Client;
use crate::support::{Connection, Response};
use crate::version::{STRETCH_BYTES_MIN, Version};
use release_server::http::digest;

/// The least content that can be cut into two stretches that each identify their version.
pub const CUT_BYTES_MIN: usize = 2 * STRETCH_BYTES_MIN;

/// An answer with content, as far as it was read.
pub struct Fetched {
    pub version: Version,
    pub status: u16,
    pub etag: String,
    /// The offset in the content where the answer began.
    pub from: usize,
    /// Bytes that were read.
    pub bytes: usize,
    /// Whether the answer stated the checksum.
    pub has_checksum: bool,
}

/// The result of resuming.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// 206: the rest of the same version.
    Continued,
    /// 200: another version, whole.
    Anew,
    /// 404: deleted before the start or before resuming.
    Gone,
}

/// Asks for a package and reads at most this many bytes of the answer; `None` if there is no
/// package.
pub fn fetch(client: &mut Client, name: &str, headers: &str, bytes_max: usize) -> Option<Fetched> {
    let request = format!("GET /assets/{name}");
    let allowed = if headers.is_empty() {
        [200, 404].as_slice()
    } else {
        &[200, 206, 404]
    };
    let (mut connection, head) = client.begin(&request, headers, b"", allowed);
    if head.status == 404 {
        let answer = connection.body_of(head, "GET");
        client.keep(connection, &answer);
        answer.assert_error(404, "Not Found");
        return None;
    }
    let length: usize = head.header("content-length").parse().unwrap();
    let (from, size) = if head.status == 206 {
        content_range(&head, length)
    } else {
        (0, length)
    };
    let wanted = length.min(bytes_max);
    let version = read(client, &mut connection, from, wanted);
    assert_eq!((version.name().as_str(), version.length()), (name, size));
    assert_checksum(&head, version);
    let fetched = Fetched {
        version,
        status: head.status,
        etag: head.header("etag").to_owned(),
        from,
        bytes: wanted,
        has_checksum: head.try_header("repr-digest").is_some(),
    };
    // An answer that is not read to its end is dropped with its connection.
    if wanted == length {
        client.keep(connection, &head);
    }
    Some(fetched)
}

/// The offset of a part, and the size of the whole.
fn content_range(head: &Response, length: usize) -> (usize, usize) {
    let value = head.header("content-range");
    let numbers: Vec<usize> = value
        .strip_prefix("bytes ")
        .unwrap()
        .split(['-', '/'])
        .map(|number| number.parse().unwrap())
        .collect();
    let [first, last, size] = numbers[..] else {
        panic!("no range: {value}");
    };
    assert_eq!(last - first + 1, length, "{head:?}");
    (first, size)
}

/// Reads content from this offset on, asserts that all of it is of one version, and returns that
/// version.
fn read(client: &mut Client, connection: &mut Connection, from: usize, length: usize) -> Version {
    let mut stretch = Vec::new();
    while stretch.len() < STRETCH_BYTES_MIN {
        let more = connection.some(STRETCH_BYTES_MIN - stretch.len());
        assert!(!more.is_empty(), "the body ends at its begin");
        stretch.extend(more);
    }
    let version = Version::told_by(from, &stretch);
    client.rest();
    let mut read = 0;
    loop {
        let at = from + read;
        assert!(version.has(at, &stretch), "at {at} not of {version:?}");
        read += stretch.len();
        if read == length {
            return version;
        }
        stretch = connection.some(length - read);
        assert!(
            !stretch.is_empty(),
            "the body ends after {read} of {length} bytes"
        );
    }
}

/// Asserts that the head describes this version.
fn assert_checksum(head: &Response, version: Version) {
    let etag = head.header("etag");
    match head.try_header("repr-digest") {
        Some(member) => {
            assert_eq!(member, digest::member(&version.sha256()), "{version:?}");
            assert_eq!(etag, format!("\"{}\"", version.sha256().hex()));
        }
        // Until the checksum is written, the version has another tag.
        None => assert_ne!(etag.len(), "\"\"".len() + 64, "{version:?}: {head:?}"),
    }
}

/// Downloads up to a random offset, and the rest on a new connection if the version is unchanged.
/// Returns the bytes read and the result.
pub fn resume(client: &mut Client, name: &str, size_about: usize) -> (usize, Resumed) {
    let cut = STRETCH_BYTES_MIN + client.random.below(size_about - CUT_BYTES_MIN);
    let Some(begun) = fetch(client, name, "", cut) else {
        return (0, Resumed::Gone);
    };
    let cut = begun.bytes.min(begun.version.length() - STRETCH_BYTES_MIN);
    let headers = format!("Range: bytes={cut}-\r\nIf-Range: {}\r\n", begun.etag);
    let Some(rest) = fetch(client, name, &headers, usize::MAX) else {
        return (begun.bytes, Resumed::Gone);
    };
    let bytes = begun.bytes + rest.bytes;
    if rest.status == 206 {
        let same = (rest.version, &rest.etag, rest.from);
        assert!(
            same == (begun.version, &begun.etag, cut),
            "two versions mixed"
        );
        return (bytes, Resumed::Continued);
    }
    assert_ne!(
        rest.etag, begun.etag,
        "the version is the same, the whole was sent"
    );
    (bytes, Resumed::Anew)
}
