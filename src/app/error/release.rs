//! Why something that GitHub's clients ask for is refused, and the sentence about it.
//!
//! Invariant: nothing is answered as done that was not; a sentence says what the client could do instead.
//!
//! Source: the project's contract, section 2; GitHub's REST API, "Releases" and "Release assets".

use crate::limits::RELEASE_JSON_BYTES_MAX;
use crate::text::excerpt;

/// Why a release or an asset is not made or changed as asked.
#[derive(Debug)]
pub enum ReleaseError {
    /// The body is no JSON object.
    NotJson,
    /// The body is over the bound.
    TooLong,
    /// The body has no `tag_name`.
    NoTag,
    /// A property is neither true nor false.
    NotBoolean(&'static str),
    /// The tag is no version.
    NoVersion(String),
    /// A draft is asked for.
    Draft,
    /// A version without words behind its numbers is to be a pre-release.
    PreRelease(String),
    /// The query has no `name`.
    NoName,
    /// The query has a `label`.
    Label,
    /// A package of this name would belong to the release of this tag.
    OtherRelease(String, String),
    /// A release or an asset is to be changed.
    Change,
    /// A release is to be deleted.
    DeleteRelease,
}

impl ReleaseError {
    /// The status.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotJson => 400,
            Self::TooLong => 413,
            _ => 422,
        }
    }
}

impl std::fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotJson => f.write_str("The body is not a JSON object"),
            Self::TooLong => write!(f, "The body is over {RELEASE_JSON_BYTES_MAX} bytes"),
            Self::NoTag => f.write_str("The body has no text 'tag_name'"),
            Self::NotBoolean(name) => write!(f, "'{name}' is neither true nor false"),
            Self::NoVersion(tag) => write!(
                f,
                "The tag '{}' is no version such as v1.2.3; a release here is made of the packages whose names hold \
                 its version",
                excerpt(tag)
            ),
            Self::Draft => f.write_str(
                "There are no drafts here: a package can be seen once it is published",
            ),
            Self::PreRelease(tag) => write!(
                f,
                "'{}' cannot be a pre-release: that follows from the version, such as v1.2.3-rc.1",
                excerpt(tag)
            ),
            Self::NoName => f.write_str("The query parameter 'name' is missing: the file's name"),
            Self::Label => f.write_str("Labels are not kept here; leave 'label' out"),
            Self::OtherRelease(name, tag) => write!(
                f,
                "'{}' belongs to the release '{}', not to this one: the last version in a file's name says which",
                excerpt(name),
                excerpt(tag)
            ),
            Self::Change => f.write_str(
                "Releases and assets cannot be changed here: what they say follows from the packages",
            ),
            Self::DeleteRelease => f.write_str(
                "Releases cannot be deleted at once here; delete the assets, and the release goes with the last one",
            ),
        }
    }
}
