//! Checksums in header fields: hexadecimal in one, base64 in the digest fields.
//!
//! Invariant: a digest that a client states is either understood or refused; a field that names
//! only other algorithms states none.
//!
//! Sources: RFC 9530, sections 2 and 3 (`Content-Digest`, `Repr-Digest`); RFC 8941, sections 3.2
//! and 3.3.5 (dictionaries, byte sequences).

use crate::checksum::Sha256;
use crate::http::fields::Fields;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use base64::{Engine, alphabet};

/// The member of a digest field: `sha-256=:…:`.
pub fn member(sha256: &Sha256) -> String {
    let encoded = BASE64_STANDARD.encode(sha256.as_bytes());
    ["sha-256=:", &encoded, ":"].concat()
}

/// Why a stated digest cannot be checked. The answer is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestError {
    /// `Repr-Digest` or `Content-Digest` is not a dictionary, or its `sha-256` is not a byte
    /// sequence of 32 bytes.
    DigestField(&'static str),
    /// `X-Checksum-Sha256` is not 64 hexadecimal digits.
    Checksum,
    /// Two of the fields state different values.
    Contradiction,
}

impl std::fmt::Display for DigestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DigestField(name) => {
                write!(
                    f,
                    "{name} is malformed; it takes sha-256=:<base64 of 32 bytes>:"
                )
            }
            Self::Checksum => {
                f.write_str("X-Checksum-Sha256 is malformed; it takes 64 hexadecimal digits")
            }
            Self::Contradiction => f.write_str("the stated SHA-256 values differ from each other"),
        }
    }
}

/// The SHA-256 that the client states for the file. `Content-Digest` counts only where the body is
/// the file itself.
pub fn stated(fields: &Fields<'_, '_>, body_is_file: bool) -> Result<Option<Sha256>, DigestError> {
    let mut stated = None;
    let mut agree = |digest: Sha256| match stated.replace(digest) {
        Some(other) if other != digest => Err(DigestError::Contradiction),
        _ => Ok(()),
    };
    for name in ["Repr-Digest", "Content-Digest"] {
        if name == "Content-Digest" && !body_is_file {
            continue;
        }
        for member in fields.members(name) {
            let digest = sha256_member(member).ok_or(DigestError::DigestField(name))?;
            digest.map_or(Ok(()), &mut agree)?;
        }
    }
    for value in fields.all("x-checksum-sha256") {
        agree(Sha256::from_hex(value).ok_or(DigestError::Checksum)?)?;
    }
    Ok(stated)
}

/// The digest in a member of a dictionary: the outer `None` for a malformed member, the inner one
/// for another algorithm.
#[expect(
    clippy::option_option,
    reason = "a parser's two answers: is it one, and is it ours"
)]
fn sha256_member(member: &[u8]) -> Option<Option<Sha256>> {
    let (key, value) = member.split_at(memchr::memchr(b'=', member)?);
    // RFC 8941, section 3.1.2: keys are in lower case. `SHA-256` must not pass for an unknown
    // algorithm.
    let in_key =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(byte);
    if key.is_empty() || !key.iter().all(in_key) {
        return None;
    }
    if key != b"sha-256" {
        return Some(None);
    }
    // Parameters after the value are permitted and ignored.
    let encoded = value.strip_prefix(b"=:")?;
    let (encoded, rest) = encoded.split_at(memchr::memchr(b':', encoded)?);
    if !matches!(rest, [b':'] | [b':', b';', ..]) {
        return None;
    }
    let bytes = BYTE_SEQUENCE.decode(encoded).ok()?;
    let bytes: [u8; 32] = bytes.try_into().ok()?;
    Some(Some(Sha256::new(bytes)))
}

/// Base64 as RFC 8941, section 4.2.7, reads it: padding may be missing.
const BYTE_SEQUENCE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
