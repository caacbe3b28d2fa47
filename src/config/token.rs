//! The settings of tokens, and the one token that has every right.
//!
//! Invariants: the token is never printed (`Debug` hides it), and only its hash is kept. While its
//! file cannot be used, the last valid token counts. A token fits the head of a request.

use super::error::ConfigError;
use super::files::read_regular_text;
use super::keys;
use super::raw::{Raw, refusal};
use crate::clock::wall_now;
use crate::limits::{TOKEN_BYTES_MAX, TOKEN_FILE_BYTES_MAX};
use crate::watch::{Report, Reread, Source, Watched};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Debug)]
pub struct TokenSettings {
    /// The token that has every right; `None` only where there are files.
    pub shared: Option<Token>,
    /// The files of named tokens.
    pub files: Vec<PathBuf>,
    /// The authorities that certify issuers; `None` for the built-in ones.
    pub issuers_ca_file: Option<PathBuf>,
}

/// The settings of tokens, without checking the other settings.
pub fn tokens(raw: &Raw) -> Result<TokenSettings, ConfigError> {
    let files = raw.setting(&keys::TOKENS_FILE);
    let files = files.map_or("", |setting| &setting.text).split(',');
    let files: Vec<PathBuf> = files
        .map(str::trim)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect();
    let shared = shared_token(raw)?;
    if shared.is_none() && files.is_empty() {
        return Err(ConfigError(
            "AUTH_TOKEN: a token is required; set AUTH_TOKEN, AUTH_TOKEN_FILE or TOKENS_FILE, or \
             auth_token in the configuration file"
                .to_owned(),
        ));
    }
    let issuers_ca_file = raw
        .setting(&keys::ISSUERS_CA_FILE)
        .filter(|setting| !setting.text.is_empty());
    Ok(TokenSettings {
        shared,
        files,
        issuers_ca_file: issuers_ca_file.map(|setting| PathBuf::from(&setting.text)),
    })
}

fn shared_token(raw: &Raw) -> Result<Option<Token>, ConfigError> {
    let fixed = raw.setting(&keys::AUTH_TOKEN);
    let file = raw.setting(&keys::AUTH_TOKEN_FILE);
    match (fixed, file) {
        (Some(fixed), Some(file)) => Err(ConfigError(format!(
            "{} and {} are both set; keep one of them",
            fixed.origin, file.origin
        ))),
        (Some(fixed), None) => {
            let token = Token::fixed(&fixed.text).map(Some);
            token.ok_or_else(|| refusal(&fixed.origin, None, &keys::AUTH_TOKEN))
        }
        (None, Some(file)) => Token::in_file(Path::new(&file.text))
            .map(Some)
            .map_err(|why| ConfigError(format!("{}: {why}", file.origin))),
        (None, None) => Ok(None),
    }
}

/// The hash of a token. Hashes have one length and reveal nothing of the texts.
pub type TokenHash = [u8; 32];

#[derive(Debug)]
pub struct Token(Kept);

enum Kept {
    Fixed(TokenHash),
    File(Watched<TokenFile>),
}

struct TokenFile(PathBuf);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("fixed"),
            Self::File(file) => write!(f, "from {}", file.source().0.display()),
        }
    }
}

impl Source for TokenFile {
    type Contents = String;
    type Value = TokenHash;

    fn read(&self) -> Result<String, String> {
        read_regular_text(&self.0, TOKEN_FILE_BYTES_MAX)
            .map_err(|error| format!("{}: cannot be read: {error}", self.0.display()))
    }

    fn check(&self, text: &String, _now: SystemTime) -> Result<TokenHash, String> {
        let token = text.trim();
        if is_token(token) {
            Ok(hash(token.as_bytes()))
        } else {
            Err(format!(
                "{}: does not hold a token of at most {TOKEN_BYTES_MAX} bytes on one line",
                self.0.display()
            ))
        }
    }
}

impl Token {
    /// A fixed token; `None` where the text cannot be a token.
    pub fn fixed(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(Kept::Fixed(hash(text.as_bytes()))))
    }

    /// A token in a file; the error is a sentence.
    pub fn in_file(path: &Path) -> Result<Self, String> {
        let file = Watched::open(TokenFile(path.to_owned()), wall_now())?;
        Ok(Self(Kept::File(file)))
    }

    /// The token's file; `None` where the token is not in one.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Kept::Fixed(_) => None,
            Kept::File(file) => Some(&file.source().0),
        }
    }

    /// Reads the token's file again.
    pub fn reread(&self, report: Report) -> Reread<TokenHash> {
        match &self.0 {
            Kept::Fixed(_) => Reread::Unchanged,
            Kept::File(file) => file.reread(wall_now(), report),
        }
    }

    /// The hash of the token in force.
    pub fn hash(&self) -> TokenHash {
        match &self.0 {
            Kept::Fixed(hash) => *hash,
            Kept::File(file) => *file.value(),
        }
    }
}

fn is_token(text: &str) -> bool {
    (1..=TOKEN_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// The hash of a token that was received or configured.
pub fn hash(text: &[u8]) -> TokenHash {
    Sha256::digest(text).into()
}
