//! Why a write through GitHub's API is refused, with its status and sentence.
//!
//! Invariant: no answer claims a change that was not made; a sentence says what the client can do
//! instead.
//!
//! Sources: docs/contract.md, section 2; GitHub's REST API, "Releases" and "Release assets".

use crate::limits::RELEASE_JSON_BYTES_MAX;
use crate::text::excerpt;

#[derive(Debug)]
pub enum ReleaseError {
    /// The body is not a JSON object.
    NotJson,
    /// The body exceeds `RELEASE_JSON_BYTES_MAX`.
    TooLong,
    /// The body has no `tag_name`.
    NoTag,
    /// The property with this name is neither true nor false.
    NotBoolean(&'static str),
    /// The tag is not a version.
    NoVersion(String),
    Draft,
    /// The request declares a version without a pre-release part a pre-release.
    PreRelease(String),
    /// The query has no `name`.
    NoName,
    /// The query has a `label`.
    Label,
    /// The package with this name would belong to the release of this tag.
    OtherRelease(String, String),
    /// A request to change a release or an asset.
    Change,
    /// A request to delete a release.
    DeleteRelease,
}

impl ReleaseError {
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
                "The tag '{}' is not a version such as v1.2.3; a release consists of the packages \
                 whose names contain its version",
                excerpt(tag)
            ),
            Self::Draft => f.write_str(
                "Drafts are not supported: a package is visible as soon as it is published",
            ),
            Self::PreRelease(tag) => write!(
                f,
                "'{}' cannot be a pre-release: a pre-release has a version such as v1.2.3-rc.1",
                excerpt(tag)
            ),
            Self::NoName => {
                f.write_str("The query parameter 'name' is missing; it takes the file name")
            }
            Self::Label => f.write_str("Labels are not supported; leave out 'label'"),
            Self::OtherRelease(name, tag) => write!(
                f,
                "'{}' belongs to the release '{}', not to this one: the last version in a file's \
                 name decides its release",
                excerpt(name),
                excerpt(tag)
            ),
            Self::Change => f.write_str(
                "Releases and assets cannot be edited: their properties follow from the packages",
            ),
            Self::DeleteRelease => f.write_str(
                "A release cannot be deleted as a whole; delete its assets, and the release \
                 disappears with the last one",
            ),
        }
    }
}
