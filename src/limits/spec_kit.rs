//! Limits of packages that `specify` installs, and of the catalogs that name them.

use super::{KIB, MIB};

/// An archive that `specify` downloads, and all its files together.
pub const ARCHIVE_BYTES_MAX: u64 = 50 * MIB as u64;
/// Files and folders of an archive that `specify` extracts.
pub const ARCHIVE_ENTRIES_MAX: usize = 512;
/// A file of an archive that `specify` extracts.
pub const ARCHIVE_ENTRY_BYTES_MAX: u32 = 10 * 1024 * 1024;
/// The directory of an archive: 512 entries with paths of 200 bytes. A publish reads each byte of a
/// path several times, and case is folded by the tables of Unicode.
pub const ARCHIVE_DIRECTORY_BYTES_MAX: usize = 128 * KIB;
/// Folders inside each other: each part of each path is checked. `specify` gives up on deeper code.
pub const ARCHIVE_FOLDERS_MAX: usize = 32;
/// A manifest, inflated; the longest known ones have 10 KiB.
pub const MANIFEST_BYTES_MAX: u32 = 128 * 1024;
/// Mappings and lists inside each other in a manifest.
pub const MANIFEST_DEPTH_MAX: usize = 32;
/// Events of a manifest's YAML, which bound its time and memory; the longest known ones have 1,000.
pub const MANIFEST_EVENTS_MAX: usize = 3_000;
/// A text of a manifest that catalogs repeat.
pub const MANIFEST_TEXT_BYTES_MAX: usize = KIB;
/// An id, a name or a version of a manifest.
pub const MANIFEST_NAME_BYTES_MAX: usize = 200;
pub const MANIFEST_TAGS_MAX: usize = 20;
pub const MANIFEST_TAG_BYTES_MAX: usize = 64;
/// What the listing keeps of one package's manifest.
pub const MANIFEST_KEPT_BYTES_MAX: usize = 8 * KIB;
/// Files of a step package: clients fetch them one by one.
pub const STEP_FILES_MAX: usize = 64;
/// All files of a step package together, which are inflated and hashed when it is published; each
/// is answered from memory.
pub const STEP_BYTES_MAX: u32 = 512 * 1024;
/// Releases of a catalog's entry beside its current version.
pub const CATALOG_RELEASES_MAX: usize = 50;
/// The base URL that a catalog's size is reckoned with, so that all servers drop the same releases.
pub const CATALOG_BASE_BYTES: usize = 64;
/// A catalog that `specify` reads.
pub const CATALOG_BYTES_MAX: usize = 8 * MIB;
/// A catalog that `specify` reads integrations from.
pub const CATALOG_INTEGRATIONS_BYTES_MAX: usize = MIB;
