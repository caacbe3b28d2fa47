//! Versions of packages: PEP 440, as spec-kit compares them.
//!
//! Invariant: two versions are equal where PEP 440 calls them equal (`1.1`, `v1.1.0`), whatever
//! their texts. Whatever is accepted here, Python's `packaging` accepts.

use pep440_rs::{Version, VersionSpecifiers};
use std::cmp::Ordering;
use std::str::FromStr;

/// A version with the text that the manifest has for it.
#[derive(Clone, Debug)]
pub struct PackageVersion {
    text: String,
    parsed: Version,
}

impl PackageVersion {
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim() != text || !text.is_ascii() {
            return None;
        }
        Version::from_str(text).ok().map(|parsed| Self {
            text: text.to_owned(),
            parsed,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is neither a pre-release nor a development release.
    pub fn is_final(&self) -> bool {
        !self.parsed.any_prerelease()
    }
}

impl PartialEq for PackageVersion {
    fn eq(&self, other: &Self) -> bool {
        self.parsed == other.parsed
    }
}

impl Eq for PackageVersion {}

impl PartialOrd for PackageVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PackageVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parsed.cmp(&other.parsed)
    }
}

/// Whether a text is a set of version specifiers, such as `>=1.0,<2`, and not empty.
pub fn is_specifier(text: &str) -> bool {
    text.is_ascii()
        && text.split(',').any(|clause| !clause.trim().is_empty())
        && VersionSpecifiers::from_str(text).is_ok()
}

/// Whether a text is three numbers with dots between them.
pub fn is_three_numbers(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').count() == 3 && text.split('.').all(is_number)
}

/// Whether a text is a version of Semantic Versioning 2.0.0, with or without a `v`.
pub fn is_semantic(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (rest, build) = match text.split_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (text, None),
    };
    let (numbers, pre_release) = match rest.split_once('-') {
        Some((numbers, pre_release)) => (numbers, Some(pre_release)),
        None => (rest, None),
    };
    let is_word = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(allowed)
    };
    let has_no_leading_zero = |part: &str| {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        !is_number || part == "0" || !part.starts_with('0')
    };
    is_three_numbers(numbers)
        && numbers.split('.').all(has_no_leading_zero)
        && pre_release.is_none_or(|text| {
            text.split('.')
                .all(|p| is_word(p) && has_no_leading_zero(p))
        })
        && build.is_none_or(|text| text.split('.').all(is_word))
}
