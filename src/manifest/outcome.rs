//! What reading a file gave: a plain file, a package, or a package that catalogs leave out.

use super::PackageVersion;
use super::kind::Kind;
use crate::checksum::Sha256;

/// Why catalogs leave a package out. The set is closed: metrics and clients count on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    TooLarge,
    Zip,
    Manifest,
    Field,
    Version,
    /// Another package of the same id and version was there first. Found among all packages, not
    /// in one.
    Duplicate,
    Unreadable,
}

impl Reason {
    /// All reasons, in the order of the contract.
    pub const ALL: [Self; 7] = [
        Self::TooLarge,
        Self::Zip,
        Self::Manifest,
        Self::Field,
        Self::Version,
        Self::Duplicate,
        Self::Unreadable,
    ];

    /// The reason as answers, metrics and log records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Zip => "zip",
            Self::Manifest => "manifest",
            Self::Field => "field",
            Self::Version => "version",
            Self::Duplicate => "duplicate",
            Self::Unreadable => "unreadable",
        }
    }
}

pub const DUPLICATE: &str = "an older package has the same id and version with other bytes";

/// A reason and one sentence that names what is wrong and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    pub reason: Reason,
    pub message: String,
}

impl Unlisted {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { reason, message }
    }

    pub fn duplicate() -> Self {
        Self::new(Reason::Duplicate, DUPLICATE)
    }
}

/// A file whose directory names one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    pub kind: Kind,
    /// As far as the manifest could be read.
    pub id: Option<String>,
    /// The version's text, as far as the manifest could be read.
    pub version: Option<String>,
    pub listing: Result<Manifest, Unlisted>,
}

/// What a catalog says of a package; all texts are the manifest's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub id: String,
    pub version: PackageVersion,
    pub name: String,
    pub description: String,
    /// Further texts by their field's name.
    pub texts: Vec<(&'static str, String)>,
    pub tags: Vec<String>,
    /// `requires.speckit_version`, where a catalog may say it.
    pub speckit_version: Option<String>,
    /// How much the package provides, by what.
    pub provides: Vec<(&'static str, usize)>,
    /// The files of a step package, which clients fetch one by one; by path.
    pub files: Vec<StepFile>,
}

/// A file in a step package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFile {
    /// The path beside the manifest.
    pub path: String,
    pub sha256: Sha256,
    /// Inflated, in bytes.
    pub size: u32,
}

impl Recognised {
    /// Why catalogs leave the package out.
    pub fn unlisted(&self, is_duplicate: bool) -> Option<Unlisted> {
        match &self.listing {
            Err(unlisted) => Some(unlisted.clone()),
            Ok(_) if is_duplicate => Some(Unlisted::duplicate()),
            Ok(_) => None,
        }
    }

    /// Logs why catalogs leave the package out.
    pub fn log(&self, file: &str) {
        if let Err(unlisted) = &self.listing {
            self.log_unlisted(file, unlisted);
        }
    }

    pub fn log_unlisted(&self, file: &str, unlisted: &Unlisted) {
        log::warn!(
            package = file, kind = self.kind.name(), id = self.id.as_deref(),
            version = self.version.as_deref(), reason = unlisted.reason.name(),
            why = unlisted.message.as_str();
            "catalogs leave the package out"
        );
    }

    /// What keeping this costs, in bytes; texts and paths, roughly.
    pub fn kept_bytes(&self) -> usize {
        let names = self.id.as_ref().map_or(0, String::len) * 2;
        let Ok(manifest) = &self.listing else {
            return names;
        };
        let texts = manifest.texts.iter().map(|(_, text)| text.len() + 40);
        let tags = manifest.tags.iter().map(|tag| tag.len() + 24);
        let files = manifest.files.iter().map(|file| file.path.len() + 64);
        names
            + manifest.name.len()
            + manifest.description.len()
            + manifest.speckit_version.as_ref().map_or(0, String::len)
            + texts.chain(tags).chain(files).sum::<usize>()
    }
}
