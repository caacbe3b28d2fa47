//! spec-kit packages: which kind a ZIP archive is, and what its manifest says.
//!
//! Bytes to values, without files, clocks and sockets: [`read::read`] asks a [`source::Source`] for
//! byte ranges, so that the same code reads a file and a test's bytes. Nothing is extracted, and no
//! path of an archive reaches the file system.
//!
//! Sources: docs/contract.md, section 1 ("Catalogs"); PKWARE's APPNOTE 6.3.10 (ZIP); YAML 1.1 as
//! PyYAML reads it; PEP 440.

pub mod archive;
pub mod archive_path;
mod checks;
pub mod entry;
mod field;
pub mod kind;
mod kind_checks;
pub mod outcome;
pub mod package_version;
pub mod read;
pub mod selection;
pub mod source;
pub mod yaml;
pub mod yaml_scalar;
pub mod zip;
