//! The token that writing needs.
//!
//! Invariants: never printed (`Debug` hides it, nothing else shows it); compared in time that depends on neither value;
//! a token file is read for each comparison, so that a rotated secret counts at once, and the last good token stays in
//! force while the file cannot be read.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where the token comes from.
#[derive(Debug)]
pub struct Token(Source);

enum Source {
    Fixed([u8; 32]),
    File {
        path: PathBuf,
        last_good: Mutex<[u8; 32]>,
    },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("fixed"),
            Self::File { path, .. } => write!(f, "from {}", path.display()),
        }
    }
}

impl Token {
    /// A token that stays as it is; `None` where the text cannot be one.
    pub fn fixed(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(Source::Fixed(hash(text.as_bytes()))))
    }

    /// A token in a file, without the line's end; the sentence says why where it holds none.
    pub fn in_file(path: &Path) -> Result<Self, String> {
        let last_good = Mutex::new(read(path)?);
        Ok(Self(Source::File {
            path: path.to_owned(),
            last_good,
        }))
    }

    /// Whether this is the token. Hashes are compared: they have one length and tell nothing of the texts.
    pub fn matches(&self, given: &[u8]) -> bool {
        let expected = match &self.0 {
            Source::Fixed(expected) => *expected,
            Source::File { path, last_good } => {
                let mut last_good = last_good.lock().unwrap_or_else(PoisonError::into_inner);
                match read(path) {
                    Ok(current) => *last_good = current,
                    Err(why) => {
                        log::warn!("the token file cannot be used, the last token stays: {why}");
                    }
                }
                *last_good
            }
        };
        let difference = expected
            .iter()
            .zip(hash(given))
            .fold(0, |all, (left, right)| all | (left ^ right));
        std::hint::black_box(difference) == 0
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn hash(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn read(path: &Path) -> Result<[u8; 32], String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let token = text.trim();
    if is_token(token) {
        Ok(hash(token.as_bytes()))
    } else {
        Err(format!("{}: holds no token on one line", path.display()))
    }
}
