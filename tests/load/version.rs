//! Content that identifies itself: any stretch of it identifies its version.
//!
//! Invariant: a version determines all bytes of its content, and any two versions differ in every
//! word. So a stretch of one version shows that, and a mixture of two cannot pass for either.

use release_server::checksum::Sha256;
use sha2::Digest;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The length of a stretch that contains a whole word wherever it begins, which identifies the
/// version.
pub const STRETCH_BYTES_MIN: usize = 2 * WORD_BYTES - 1;

const WORD_BYTES: usize = 8;
/// Odd, so that no two words of a content are equal.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
const SERIAL_BITS: u32 = 20;
const LENGTH_BITS: u32 = 28;

/// One content of one name: the number of the name, a serial number and the length, packed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(u64);

/// The checksums of all versions so far, both ways.
#[derive(Default)]
struct Checksums {
    of_version: HashMap<Version, Sha256>,
    back: HashMap<Sha256, Version>,
}

static CHECKSUMS: LazyLock<Mutex<Checksums>> = LazyLock::new(Mutex::default);

impl Version {
    pub fn new(name: u16, serial: u64, length: usize) -> Self {
        assert!(length < 1 << LENGTH_BITS, "{length} bytes are too many");
        let serial = serial % (1 << SERIAL_BITS);
        Self(u64::from(name) << (SERIAL_BITS + LENGTH_BITS) | serial << LENGTH_BITS | length as u64)
    }

    /// The name of the package.
    pub fn name(self) -> String {
        name(self.0 >> (SERIAL_BITS + LENGTH_BITS))
    }

    /// Bytes of the content.
    pub fn length(self) -> usize {
        usize::try_from(self.0 % (1 << LENGTH_BITS)).unwrap()
    }

    /// The whole content.
    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = self.words(0, self.length().div_ceil(WORD_BYTES));
        bytes.truncate(self.length());
        bytes
    }

    /// The words of a range.
    fn words(self, first: usize, end: usize) -> Vec<u8> {
        let mut bytes = vec![0; (end - first) * WORD_BYTES];
        for (index, word) in (first..).zip(bytes.chunks_exact_mut(WORD_BYTES)) {
            let number = self.0.wrapping_add(STRIDE.wrapping_mul(index as u64));
            word.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// The version that a stretch of content belongs to, by its first whole word.
    pub fn told_by(offset: usize, stretch: &[u8]) -> Self {
        let index = offset.div_ceil(WORD_BYTES);
        let begin = index * WORD_BYTES - offset;
        let word = stretch[begin..begin + WORD_BYTES].try_into().unwrap();
        Self(u64::from_le_bytes(word).wrapping_sub(STRIDE.wrapping_mul(index as u64)))
    }

    /// Whether the content has these bytes at this offset.
    pub fn has(self, offset: usize, stretch: &[u8]) -> bool {
        let (first, end) = (offset / WORD_BYTES, offset + stretch.len());
        let expected = self.words(first, end.div_ceil(WORD_BYTES));
        end <= self.length() && expected[offset % WORD_BYTES..][..stretch.len()] == *stretch
    }

    /// Its checksum, computed once.
    pub fn sha256(self) -> Sha256 {
        if let Some(known) = CHECKSUMS.lock().unwrap().of_version.get(&self) {
            return *known;
        }
        let sha256 = Sha256::new(sha2::Sha256::digest(self.bytes()));
        let mut checksums = CHECKSUMS.lock().unwrap();
        checksums.of_version.insert(self, sha256);
        checksums.back.insert(sha256, self);
        sha256
    }

    /// The version of a checksum in hexadecimal digits; panics for an unpublished one.
    pub fn of_checksum(digits: &str) -> Self {
        let sha256 = Sha256::from_hex(digits.as_bytes());
        let known = sha256.and_then(|sha256| CHECKSUMS.lock().unwrap().back.get(&sha256).copied());
        known.unwrap_or_else(|| panic!("no client published '{digits}'"))
    }
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let serial = (self.0 >> LENGTH_BITS) % (1 << SERIAL_BITS);
        write!(f, "{} no. {serial} of {} bytes", self.name(), self.length())
    }
}

/// The name of a number.
pub fn name(number: impl Into<u64>) -> String {
    format!("package-{}.zip", number.into())
}

#[test]
fn any_stretch_identifies_its_version_and_no_other() {
    let version = Version::new(3, 4, 1001);
    let (content, other) = (version.bytes(), Version::new(3, 5, 1001));
    assert_eq!(content.len(), 1001);
    for offset in 0..=content.len() - STRETCH_BYTES_MIN {
        let stretch = &content[offset..offset + STRETCH_BYTES_MIN];
        assert_eq!(Version::told_by(offset, stretch), version);
        assert!(version.has(offset, stretch) && version.has(offset, &content[offset..]));
        assert!(!other.has(offset, stretch) && !version.has(offset ^ 1, stretch));
    }
}
