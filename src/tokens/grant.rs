//! What a token may: rights, and the names of packages that they cover.
//!
//! Invariant: a grant without a right refuses it; nothing is granted by default.

use crate::pattern::Pattern;
use std::fmt::Write as _;

/// The name of the token that `auth_token` or `auth_token_file` sets.
pub const SHARED_TOKEN_NAME: &str = "auth_token";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Adding packages under new names.
    Publish,
    /// Replacing packages, besides publishing.
    Overwrite,
    Delete,
}

impl Right {
    pub const ALL: [Self; 3] = [Self::Publish, Self::Overwrite, Self::Delete];

    /// The word in files, options and sentences.
    pub fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Overwrite => "overwrite",
            Self::Delete => "delete",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.word() == word)
    }
}

/// A pattern of names, with its text for sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    pub text: String,
    pattern: Pattern,
}

impl NamePattern {
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            pattern: Pattern::new(text),
        }
    }

    pub fn matches(&self, text: &str) -> bool {
        self.pattern.matches(text)
    }
}

/// What the holder of a token may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The name of the token, for the log and for sentences.
    pub name: String,
    pub rights: Vec<Right>,
    /// Empty for all names.
    pub names: Vec<NamePattern>,
    /// The subject of an identity token, for the log.
    pub subject: Option<String>,
}

impl Grant {
    /// What the token of `auth_token` or `auth_token_file` may: everything.
    pub fn shared() -> Self {
        Self {
            name: SHARED_TOKEN_NAME.to_owned(),
            rights: Right::ALL.to_vec(),
            names: Vec::new(),
            subject: None,
        }
    }

    pub fn has(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    pub fn covers(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|pattern| pattern.matches(name))
    }

    /// What the token may; completes "the token may …".
    pub fn describe(&self) -> String {
        let mut text = list(self.rights.iter().map(|right| right.word()), "and");
        text.push_str(" packages");
        if !self.names.is_empty() {
            let quoted: Vec<String> = self.names.iter().map(|n| format!("'{}'", n.text)).collect();
            // Writing to a string does not fail.
            let _ = write!(
                text,
                " whose names match {}",
                list(quoted.iter().map(String::as_str), "or")
            );
        }
        text
    }
}

/// `a, b and c`.
fn list<'w>(words: impl ExactSizeIterator<Item = &'w str>, conjunction: &str) -> String {
    let count = words.len();
    let mut text = String::new();
    for (at, word) in words.enumerate() {
        if at > 0 && at + 1 == count {
            text.extend([" ", conjunction, " "]);
        } else if at > 0 {
            text.push_str(", ");
        }
        text.push_str(word);
    }
    text
}
