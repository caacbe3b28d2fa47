//! The one token that has every right.
//!
//! Invariants: the token is never printed (`Debug` hides it), and only its hash is kept. While its
//! file cannot be used, the last valid token counts. A token fits the head of a request.

use super::files::read_regular_text;
use crate::limits::{TOKEN_BYTES_MAX, TOKEN_FILE_BYTES_MAX};
use crate::watch::{Report, Reread, Source, Watched};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

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

    fn check(&self, text: &String) -> Result<TokenHash, String> {
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
        let file = Watched::open(TokenFile(path.to_owned()))?;
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
            Kept::File(file) => file.reread(report),
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
