//! spec-kit packages: which kind a ZIP archive is, and what its manifest says.
//!
//! Bytes to values, without files, clocks and sockets: [`read::read`] asks a [`source::Source`] for
//! byte ranges, so that the same code reads a file and a test's bytes. Nothing is extracted, and no
//! path of an archive reaches the file system.
//!
//! The feature `catalogs` brings what reads packages, with its libraries. Without it `absent` has
//! the same names.
//!
//! Sources: docs/contract.md, section 1 ("Catalogs"); PKWARE's APPNOTE 6.3.10 (ZIP); YAML 1.1 as
//! PyYAML reads it; PEP 440.

#[cfg(not(feature = "catalogs"))]
mod absent;
#[cfg(feature = "catalogs")]
pub mod archive;
#[cfg(feature = "catalogs")]
pub mod archive_path;
#[cfg(feature = "catalogs")]
mod checks;
#[cfg(feature = "catalogs")]
pub mod entry;
#[cfg(feature = "catalogs")]
mod field;
pub mod kind;
#[cfg(feature = "catalogs")]
mod kind_checks;
pub mod outcome;
#[cfg(feature = "catalogs")]
pub mod package_version;
#[cfg(feature = "catalogs")]
pub mod read;
pub mod selection;
pub mod source;
#[cfg(feature = "catalogs")]
pub mod yaml;
#[cfg(feature = "catalogs")]
pub mod yaml_scalar;
#[cfg(feature = "catalogs")]
pub mod zip;

#[cfg(not(feature = "catalogs"))]
pub use absent::{PackageVersion, read, step_file};
#[cfg(feature = "catalogs")]
pub use package_version::PackageVersion;
#[cfg(feature = "catalogs")]
pub use read::{read, step_file};
