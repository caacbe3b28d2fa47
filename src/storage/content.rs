//! What a package's file is to spec-kit: read from the open file, kept in the listing.
//!
//! Invariants: nothing is written; what is kept belongs to one state of the file. A file that
//! cannot be read is a plain file, so that one bad file does not keep catalogs from being complete.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use crate::manifest;
use crate::manifest::outcome::Recognised;
use crate::manifest::source::Source;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// The maintenance thread reads it.
    #[default]
    Unread,
    /// Not a package of spec-kit.
    Plain,
    Package(Arc<Recognised>),
}

impl Content {
    /// Reads the file of the package called `name`.
    pub fn read(name: &str, file: &File) -> Self {
        let source = FileSource::new(file);
        source
            .and_then(|source| Self::of(name, &source))
            .unwrap_or_else(|error| {
                log::warn!(package = name, error:% = error; "the package cannot be read");
                Self::Plain
            })
    }

    /// Reads the package called `name` from where its bytes are.
    ///
    /// # Errors
    /// Whatever kept the source from being read.
    pub fn of(name: &str, source: &impl Source) -> io::Result<Self> {
        let recognised = manifest::read(name, source)?;
        Ok(recognised.map_or(Self::Plain, |it| Self::Package(Arc::new(it))))
    }

    pub fn recognised(&self) -> Option<&Recognised> {
        match self {
            Self::Package(recognised) => Some(recognised),
            Self::Unread | Self::Plain => None,
        }
    }
}

/// The content of one file of a step package; `None` where there is none.
pub fn step_file(file: &File, path: &str) -> io::Result<Option<Vec<u8>>> {
    manifest::step_file(&FileSource::new(file)?, path)
}

struct FileSource<'f> {
    file: &'f File,
    size: u64,
}

impl<'f> FileSource<'f> {
    fn new(file: &'f File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl Source for FileSource<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}
