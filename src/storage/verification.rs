//! What the comparison of all packages with their checksums reports, whichever engine makes it.

use crate::manifest::outcome::Unlisted;
use std::fmt::Display;

/// The progress so far; in the end, the summary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Packages compared so far.
    pub packages: usize,
    pub packages_total: usize,
    /// Bytes read so far.
    pub bytes: u64,
    /// An estimate: packages may change.
    pub bytes_total: u64,
    /// Findings that remain.
    pub wrong: usize,
    pub repaired: usize,
    /// Packages that `copy` has put where they were missing.
    pub copied: usize,
}

/// What the caller is notified of.
pub enum Event<'e> {
    Read,
    /// Catalogs leave the package of this name out.
    Unlisted(&'e str, &'e Unlisted),
    /// The package of this name has, or had, this fault.
    Found(&'e str, &'e dyn Display),
}

/// Takes what happens, with the progress so far.
pub type Notify<'n> = &'n mut dyn FnMut(Event<'_>, &Progress);
