//! Archives: bounded reads inside the file, and a listing that does not depend on how it was
//! packed.
//!
//! Source: the invariants of `manifest::read`, `manifest::zip` and `manifest::entry`.

use release_server::manifest::kind::Kind;
use release_server::manifest::outcome::Recognised;
use release_server::manifest::read::{read, step_file};
use release_server::manifest::source::Source;
use std::cell::Cell;
use std::io;

/// What reading one package may ask for: the tail, the directory, and a step's files with their
/// overhead.
const READ_BYTES_MAX: usize = (64 + 1024 + 8 * 1024 + 64 * 64) * 1024;

/// Bytes that count what is read of them.
struct Counted<'b> {
    bytes: &'b [u8],
    read: Cell<usize>,
}

impl Source for Counted<'_> {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.read.set(self.read.get() + length);
        self.bytes.read_at(offset, length)
    }
}

/// Reads a package, within the bounds; every range that is asked for is inside the file.
fn read_counted(bytes: &[u8]) -> Option<Recognised> {
    let source = Counted {
        bytes,
        read: Cell::new(0),
    };
    let package = read("a.zip", &source).expect("a range outside of the file");
    assert!(
        source.read.get() <= READ_BYTES_MAX,
        "{} bytes read",
        source.read.get()
    );
    package
}

/// Every property of archives.
pub fn check(input: &[u8]) {
    let Some(package) = read_counted(input) else {
        return;
    };
    let shown = input.escape_ascii();
    let behind = read_counted(&[b"#!", input].concat());
    let manifest = match &package.listing {
        Ok(manifest) => manifest,
        Err(unlisted) => {
            assert!(!unlisted.message.is_empty(), "{shown}");
            assert!(
                unlisted.message.len() < 400,
                "{shown}: {}",
                unlisted.message
            );
            return;
        }
    };
    assert_eq!(behind.as_ref(), Some(&package), "{shown}");
    assert!(package.kept_bytes() <= 8 * 1024, "{shown}");
    let belongs =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    assert!(
        !manifest.id.is_empty() && manifest.id.bytes().all(belongs),
        "{shown}"
    );
    assert_eq!(package.id.as_ref(), Some(&manifest.id), "{shown}");
    // One more byte at the end hides what comes before it from other readers.
    let longer = read_counted(&[input, b"\0"].concat());
    assert!(
        longer.is_none_or(|package| package.listing.is_err()),
        "{shown}"
    );
    let is_step = package.kind == Kind::Step;
    assert_eq!(is_step, !manifest.files.is_empty(), "{shown}");
    for file in &manifest.files {
        let content = step_file(input, &file.path).expect("bytes in memory");
        let length = content.map(|content| content.len());
        assert_eq!(
            length,
            usize::try_from(file.size).ok(),
            "{shown}: {}",
            file.path
        );
    }
}
