//! SHA-256 values as they travel: hexadecimal, base64 in digest fields.
//!
//! Invariant: a digest that a client stated is either understood or refused; a field with other algorithms only states
//! none.
//!
//! Sources: RFC 9530, sections 2 and 3 (`Content-Digest`, `Repr-Digest`); RFC 8941, sections 3.2 and 3.3.5
//! (dictionaries, byte sequences).

use crate::http::head::Fields;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// From the bytes of a finished hash.
    pub fn new(bytes: impl Into<[u8; 32]>) -> Self {
        Self(bytes.into())
    }

    /// Reads 64 hexadecimal digits of either case.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        if text.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let high = char::from(digits[0]).to_digit(16)?;
            let low = char::from(digits[1]).to_digit(16)?;
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits, in lower case.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// The member of a digest field: `sha-256=:…:`.
    pub fn digest_member(&self) -> String {
        format!("sha-256=:{}:", BASE64_STANDARD.encode(self.0))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

/// Two hexadecimal digits for each byte, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Why a stated digest cannot be checked. Answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestError {
    /// `Repr-Digest` or `Content-Digest` is no dictionary, or its `sha-256` no byte sequence of 32 bytes.
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

/// The SHA-256 that the client states for the file. `Content-Digest` counts only where the body is the file itself.
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
            let (algorithm, value) = split_member(member).ok_or(DigestError::DigestField(name))?;
            if algorithm == b"sha-256" {
                agree(byte_sequence(value).ok_or(DigestError::DigestField(name))?)?;
            }
        }
    }
    for value in fields.all("x-checksum-sha256") {
        agree(Sha256::from_hex(value).ok_or(DigestError::Checksum)?)?;
    }
    Ok(stated)
}

/// A dictionary member's key and value.
fn split_member(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let separator = memchr::memchr(b'=', member)?;
    Some((&member[..separator], &member[separator + 1..]))
}

/// 32 bytes in base64, between colons.
fn byte_sequence(value: &[u8]) -> Option<Sha256> {
    let encoded = value.strip_prefix(b":")?.strip_suffix(b":")?;
    let bytes = BASE64_STANDARD.decode(encoded).ok()?;
    Some(Sha256(bytes.try_into().ok()?))
}
