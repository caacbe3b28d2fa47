//! The things that a request names and that do not exist.
//!
//! Invariant: the sentence begins with `Not Found`, which GitHub's clients look for.

use crate::text::excerpt;

#[derive(Debug)]
pub enum NotFound {
    /// The path that nothing is served at.
    Path(String),
    /// The name that no package has.
    Package(String),
    /// The tag or id that no release has.
    Release(String),
    /// The pattern that no package's name matches.
    Match(String),
}

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Not Found: ")?;
        match self {
            Self::Path(path) => write!(f, "nothing is served at '{}'", excerpt(path)),
            Self::Package(name) => write!(f, "there is no package '{}'", excerpt(name)),
            Self::Release(tag) => write!(f, "there is no release '{}'", excerpt(tag)),
            Self::Match(pattern) => write!(f, "no package's name matches '{}'", excerpt(pattern)),
        }
    }
}
