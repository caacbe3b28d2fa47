//! The parts of a signed token: header, claims, and what its signature is over.
//!
//! Invariants: a token has exactly three parts; a header or claims that say the same thing twice
//! are refused; a header that names or brings a key, or that demands an extension, is refused.
//!
//! Sources: RFC 7515, sections 3.1, 4.1 and 7.1 (the compact form), 4.1.11 (`crit`).

use super::claims::Claims;
use super::keys::Algorithm;
use crate::limits::IDENTITY_TOKEN_BYTES_MAX;
use crate::tokens::refusal::IdentityRefusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A token whose signature is not checked.
pub struct Unverified<'t> {
    pub algorithm: Algorithm,
    pub key_id: Option<String>,
    pub claims: Claims,
    pub signed: &'t [u8],
    pub signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    jku: Option<IgnoredAny>,
    jwk: Option<IgnoredAny>,
    x5u: Option<IgnoredAny>,
    x5c: Option<IgnoredAny>,
    crit: Option<IgnoredAny>,
    enc: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

impl<'t> Unverified<'t> {
    pub fn parse(token: &'t [u8]) -> Result<Self, IdentityRefusal> {
        use IdentityRefusal::{Malformed, OwnKey, TooLong};
        if token.len() > IDENTITY_TOKEN_BYTES_MAX {
            return Err(TooLong);
        }
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformed);
        };
        let signed = &token[..header.len() + 1 + claims.len()];
        let decode = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Malformed)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or(IdentityRefusal::Algorithm)?;
        let own_key = [&header.jku, &header.jwk, &header.x5u, &header.x5c];
        if own_key.into_iter().any(Option::is_some) {
            return Err(OwnKey);
        }
        let extensions = [&header.crit, &header.enc, &header.zip];
        if extensions.into_iter().any(Option::is_some) {
            return Err(Malformed);
        }
        Ok(Self {
            algorithm,
            key_id: header.kid,
            claims: serde_json::from_slice(&decode(claims)?).map_err(|_| Malformed)?,
            signed,
            signature: decode(signature)?,
        })
    }
}
