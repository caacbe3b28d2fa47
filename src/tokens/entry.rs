//! One entry of a tokens file: who it is for, how its token is recognised, and what that may.
//!
//! Invariant: a sentence about an entry names the entry, the key and what the key takes, and never
//! shows a value that may be a token.

use super::Publisher;
use super::grant::{Grant, NamePattern, Right, SHARED_TOKEN_NAME};
use crate::checksum::Sha256;
use crate::config::token::TokenHash;
use crate::date;
use crate::limits::{PATTERN_BYTES_MAX, TOKEN_NAME_BYTES_MAX};
use serde_yaml::{Mapping, Value};
use std::sync::Arc;
use std::time::SystemTime;

const KEYS: [&str; 9] = [
    "name", "sha256", "issuer", "audience", "claims", "may", "names", "expires", "comment",
];

#[derive(Clone, Debug)]
pub struct Entry {
    pub grant: Arc<Grant>,
    pub recognition: Recognition,
    /// `None` for an entry that does not expire.
    pub expires: Option<SystemTime>,
}

/// How the token of an entry is recognised.
#[derive(Clone, Debug)]
pub enum Recognition {
    Hash(TokenHash),
    /// An issuer signs it.
    Identity(Publisher),
}

impl Recognition {
    /// Whether both recognise one and the same token. Several entries may have one issuer.
    pub fn is_same_token(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Hash(one), Self::Hash(other)) if one == other)
    }
}

/// Whether a text can be the name of a token.
pub fn is_name(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=TOKEN_NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(is_safe)
        && text != SHARED_TOKEN_NAME
}

pub const NAME_TAKES: &str =
    "1 to 64 letters, digits, '.', '_' and '-', other than the word auth_token";
pub const MAY_TAKES: &str = "a list of publish, overwrite and delete";
pub const NAMES_TAKES: &str = "a list of name patterns with * and ?";
/// What a command prints where the variable that should hold the token is empty.
const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ISSUER_TAKES: &str = "the URL of an issuer, beside audience and claims in place of sha256";
const AUDIENCE_TAKES: &str = "the audience that a pipeline requests for its identity token";
const CLAIMS_TAKES: &str = "a mapping of claims to values, which may be patterns with * and ?";
const SHA256_TAKES: &str =
    "the 64 hexadecimal digits that 'release-server token new' prints, not the token itself";
pub const EXPIRES_TAKES: &str = "a time such as 2027-01-31T12:00:00Z";

impl Entry {
    /// Reads an entry; the sentence says what is wrong with it.
    pub fn read(value: &Value) -> Result<Self, String> {
        let fields = Fields::of(value)?;
        let name = fields.text("name").filter(|name| is_name(name));
        let name = name.ok_or_else(|| refused("name", NAME_TAKES))?;
        fields.read(name).map_err(|why| format!("'{name}': {why}"))
    }
}

struct Fields<'v>(&'v Mapping);

impl<'v> Fields<'v> {
    fn of(value: &'v Value) -> Result<Self, String> {
        let mapping = value.as_mapping();
        let mapping = mapping.ok_or("it is not a mapping of keys to values")?;
        for key in mapping.keys() {
            let key = key.as_str().unwrap_or_default();
            if !KEYS.contains(&key) {
                let (key, known) = (key.escape_debug(), KEYS.join(", "));
                return Err(format!("unknown key '{key}'; known are {known}"));
            }
        }
        Ok(Self(mapping))
    }

    fn text(&self, key: &str) -> Option<&'v str> {
        self.0.get(key)?.as_str()
    }

    /// The texts of a list; `None` where the key is not set.
    fn texts(&self, key: &str, takes: &str) -> Result<Option<Vec<&'v str>>, String> {
        let Some(value) = self.0.get(key) else {
            return Ok(None);
        };
        let texts = value
            .as_sequence()
            .map(|items| items.iter().map(Value::as_str));
        let texts: Option<Vec<_>> = texts.and_then(Iterator::collect);
        let texts = texts.filter(|texts| !texts.is_empty());
        texts.map(Some).ok_or_else(|| refused(key, takes))
    }

    fn read(&self, name: &str) -> Result<Entry, String> {
        let recognition = self.recognition()?;
        if self
            .0
            .get("comment")
            .is_some_and(|comment| !comment.is_string())
        {
            return Err(refused("comment", "text"));
        }
        let grant = Grant {
            name: name.to_owned(),
            rights: rights(&self.texts("may", MAY_TAKES)?.unwrap_or_default())?,
            names: names(&self.texts("names", NAMES_TAKES)?.unwrap_or_default())?,
            subject: None,
        };
        Ok(Entry {
            grant: Arc::new(grant),
            recognition,
            expires: self.expires()?,
        })
    }

    fn recognition(&self) -> Result<Recognition, String> {
        let is_set = |key| self.0.get(key).is_some();
        if !["issuer", "audience", "claims"].into_iter().any(is_set) {
            let digits = self.text("sha256");
            let hash = digits.and_then(|digits| Sha256::from_hex(digits.as_bytes()));
            let hash = hash.ok_or_else(|| refused("sha256", SHA256_TAKES))?;
            if hash.hex() == SHA256_OF_NOTHING {
                return Err("sha256: this is the hash of an empty text, not of a token".to_owned());
            }
            return Ok(Recognition::Hash(*hash.as_bytes()));
        }
        if is_set("sha256") {
            return Err("sha256 and issuer are both set; an entry has one of them".to_owned());
        }
        let needed = |key, takes| {
            let text = self.text(key).filter(|text| !text.is_empty());
            text.ok_or_else(|| refused(key, takes))
        };
        let issuer = needed("issuer", ISSUER_TAKES)?;
        let audience = needed("audience", AUDIENCE_TAKES)?;
        Publisher::new(issuer, audience, &self.claims()?).map(Recognition::Identity)
    }

    /// The claims, each with its pattern.
    fn claims(&self) -> Result<Vec<(String, String)>, String> {
        let claims = self.0.get("claims").and_then(Value::as_mapping);
        let claim = |(name, value): (&Value, &Value)| {
            let pattern = match value {
                Value::String(text) => text.clone(),
                Value::Bool(value) => value.to_string(),
                Value::Number(value) => value.to_string(),
                _ => return None,
            };
            let is_pattern = (1..=PATTERN_BYTES_MAX).contains(&pattern.len());
            is_pattern.then_some((name.as_str()?.to_owned(), pattern))
        };
        let claims: Option<Vec<_>> = claims.and_then(|claims| claims.iter().map(claim).collect());
        let claims = claims.filter(|claims| !claims.is_empty());
        claims.ok_or_else(|| refused("claims", CLAIMS_TAKES))
    }

    fn expires(&self) -> Result<Option<SystemTime>, String> {
        if self.0.get("expires").is_none() {
            return Ok(None);
        }
        let time = self.text("expires").and_then(date::parse_rfc3339);
        let refused = || refused("expires", EXPIRES_TAKES);
        time.map(Some).ok_or_else(refused)
    }
}

fn refused(key: &str, takes: &str) -> String {
    format!("{key}: the value is missing or not accepted; it takes {takes}")
}

/// Rights by their words.
pub fn rights(words: &[&str]) -> Result<Vec<Right>, String> {
    let rights: Option<Vec<Right>> = words.iter().map(|word| Right::parse(word)).collect();
    let rights = rights.filter(|rights| !rights.is_empty());
    let rights = rights.ok_or_else(|| refused("may", MAY_TAKES))?;
    if rights.contains(&Right::Overwrite) && !rights.contains(&Right::Publish) {
        return Err("may: overwrite needs publish beside it".to_owned());
    }
    Ok(rights)
}

/// Patterns by their texts.
pub fn names(texts: &[&str]) -> Result<Vec<NamePattern>, String> {
    let is_pattern = |text: &&str| {
        (1..=PATTERN_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control)
    };
    if texts.iter().all(is_pattern) {
        Ok(texts.iter().map(|text| NamePattern::new(text)).collect())
    } else {
        Err(refused("names", NAMES_TAKES))
    }
}
