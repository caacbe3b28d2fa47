//! The name of a package: checked once, then a type.
//!
//! Invariant: a [`PackageName`] joined to the storage directory stays inside it, is not hidden, and
//! is not the name of another package's sidecar. No other text of a client reaches the file system.
//!
//! Source: docs/contract.md, section 1, "Filenames".

use crate::limits::NAME_BYTES_MAX;
use std::sync::Arc;

pub const SIDECAR_SUFFIX: &str = ".sha256";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(Arc<str>);

/// Why a name cannot be a package's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    Empty,
    TooLong,
    Hidden,
    /// Ends with the suffix of sidecars.
    Reserved,
    NotUtf8,
    /// Holds this separator or control character.
    Character(char),
}

impl std::fmt::Display for NameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong => write!(f, "it is over {NAME_BYTES_MAX} bytes"),
            Self::Hidden => f.write_str("it begins with '.'"),
            Self::Reserved => write!(f, "names ending in '{SIDECAR_SUFFIX}' are for checksums"),
            Self::NotUtf8 => f.write_str("it is not UTF-8"),
            Self::Character(character) => {
                write!(f, "it holds '{}'", character.escape_default())
            }
        }
    }
}

impl PackageName {
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let unsafe_character = |c: &char| matches!(c, '/' | '\\') || c.is_control();
        if name.is_empty() {
            Err(NameError::Empty)
        } else if let Some(character) = name.chars().find(unsafe_character) {
            Err(NameError::Character(character))
        } else if name.len() > NAME_BYTES_MAX {
            Err(NameError::TooLong)
        } else if name.starts_with('.') {
            Err(NameError::Hidden)
        } else if name.ends_with(SIDECAR_SUFFIX) {
            Err(NameError::Reserved)
        } else {
            Ok(Self(name.into()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file name of the package's sidecar.
    pub fn sidecar(&self) -> String {
        format!("{}{SIDECAR_SUFFIX}", self.0)
    }
}

impl std::fmt::Display for PackageName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for PackageName {
    fn borrow(&self) -> &str {
        &self.0
    }
}
