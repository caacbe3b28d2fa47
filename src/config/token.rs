//! The token for publishing and deleting.
//!
//! Invariants: the token is never printed (`Debug` hides it). Comparing takes the same time for all
//! values. A token file is read for each comparison, so that a rotated secret counts at once; while
//! the file cannot be read, the last valid token counts. A token fits the head of a request.

use super::files::read_regular_text;
use crate::limits::{TOKEN_BYTES_MAX, TOKEN_FILE_BYTES_MAX};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

#[derive(Debug)]
pub struct Token(Source);

enum Source {
    Fixed([u8; 32]),
    File {
        path: PathBuf,
        last_valid: Mutex<[u8; 32]>,
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
    /// A fixed token; `None` where the text cannot be a token.
    pub fn fixed(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(Source::Fixed(hash(text.as_bytes()))))
    }

    /// A token in a file; the error is a sentence.
    pub fn in_file(path: &Path) -> Result<Self, String> {
        let last_valid = Mutex::new(read(path)?);
        Ok(Self(Source::File {
            path: path.to_owned(),
            last_valid,
        }))
    }

    /// Reads the token's file again; the file, or `None` where the token is not in one. While the
    /// file cannot be used, the last valid token counts.
    pub fn reload(&self) -> Result<Option<&Path>, String> {
        let Source::File { path, last_valid } = &self.0 else {
            return Ok(None);
        };
        *last_valid.lock().unwrap_or_else(PoisonError::into_inner) = read(path)?;
        Ok(Some(path))
    }

    /// Compares hashes, which have one length and reveal nothing of the texts.
    pub fn matches(&self, given: &[u8]) -> bool {
        let expected = match &self.0 {
            Source::Fixed(expected) => *expected,
            Source::File { last_valid, .. } => {
                if let Err(why) = self.reload() {
                    log::warn!("the token file cannot be used; the last valid token counts: {why}");
                }
                *last_valid.lock().unwrap_or_else(PoisonError::into_inner)
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
    (1..=TOKEN_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn hash(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn read(path: &Path) -> Result<[u8; 32], String> {
    let text = read_regular_text(path, TOKEN_FILE_BYTES_MAX)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let token = text.trim();
    if is_token(token) {
        Ok(hash(token.as_bytes()))
    } else {
        Err(format!(
            "{}: does not hold a token of at most {TOKEN_BYTES_MAX} bytes on one line",
            path.display()
        ))
    }
}
