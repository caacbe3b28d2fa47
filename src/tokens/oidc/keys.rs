//! The public keys of an issuer, from its set of JSON Web Keys, and checking signatures with them.
//!
//! Invariants: a key is used with the one algorithm that its type has here, whatever a token says;
//! keys of other types, and keys for encryption, are left out. RS256 and ES256 only, so no key is
//! ever a shared secret.
//!
//! Sources: RFC 7517 (JWK), RFC 7518, sections 3.3, 3.4 and 6.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

pub struct IssuerKey {
    id: Option<String>,
    key: PublicKey,
}

enum PublicKey {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    P256(UnparsedPublicKey<Vec<u8>>),
}

pub struct KeySet(Vec<IssuerKey>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set; the sentence says why it cannot be used.
    pub fn read(json: &[u8]) -> Result<Self, &'static str> {
        let document: Document =
            serde_json::from_slice(json).map_err(|_| "its keys are not a JSON Web Key Set")?;
        let keys: Vec<IssuerKey> = document
            .keys
            .into_iter()
            .filter_map(|key| IssuerKey::read(serde_json::from_value(key).ok()?))
            .collect();
        if keys.is_empty() {
            return Err("it has no key for RS256 or ES256");
        }
        Ok(Self(keys))
    }

    /// The key that a token names; without a name, the only one for its algorithm.
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&IssuerKey> {
        let fits = |key: &&IssuerKey| {
            key.algorithm() == algorithm && (id.is_none() || key.id.as_deref() == id)
        };
        let mut fitting = self.0.iter().filter(fits);
        let first = fitting.next();
        first.filter(|_| fitting.next().is_none())
    }
}

impl IssuerKey {
    fn read(jwk: Jwk) -> Option<Self> {
        if jwk.r#use.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => PublicKey::Rsa(RsaPublicKeyComponents {
                n: without_zeros(&bytes(jwk.n)?),
                e: without_zeros(&bytes(jwk.e)?),
            }),
            ("EC", Some("P-256")) => {
                // SEC 1, section 2.3.3: a point that is not compressed.
                let point = [&[4], &*bytes(jwk.x)?, &*bytes(jwk.y)?].concat();
                PublicKey::P256(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point))
            }
            _ => return None,
        };
        let key = Self { id: jwk.kid, key };
        let is_other = |word: String| Algorithm::parse(&word) != Some(key.algorithm());
        (!jwk.alg.is_some_and(is_other)).then_some(key)
    }

    fn algorithm(&self) -> Algorithm {
        match self.key {
            PublicKey::Rsa(_) => Algorithm::Rs256,
            PublicKey::P256(_) => Algorithm::Es256,
        }
    }

    pub fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.key {
            PublicKey::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
            PublicKey::P256(key) => key.verify(message, signature),
        };
        verified.is_ok()
    }
}

/// ring takes numbers without zeros before them.
fn without_zeros(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}
