//! The entries of an archive, and the checks that spec-kit makes before it extracts them.
//!
//! Invariants: no number of the archive is used as an offset before it was compared with the
//! archive's size; entries never overlap. What is accepted, `specify` 1.2.3 accepts.
//!
//! Sources: APPNOTE 6.3.10, section 4.3.12; what `specify` 1.2.3 refuses.

use super::archive_path::{folded, is_portable};
use super::outcome::Unlisted;
use super::zip::{Directory, LOCAL_BYTES, Record, too_large, u16_at, u32_at, zip_fault};
use crate::limits::spec_kit::{
    ARCHIVE_BYTES_MAX, ARCHIVE_ENTRIES_MAX, ARCHIVE_ENTRY_BYTES_MAX, ARCHIVE_FOLDERS_MAX,
};

/// The version of the format from which ZIP64 and everything newer is needed.
const VERSION_ZIP64: u16 = 45;
const ZIP64_FIELD: u16 = 1;
/// Encrypted, patched, strongly encrypted, or with hidden headers.
const FLAGS_REFUSED: u16 = 0x1 | 0x20 | 0x40 | 0x2000;
const FILE_TYPE: u32 = 0o170_000;
const SYMLINK: u32 = 0o120_000;

/// A file or folder in an archive that passed all checks.
#[derive(Debug)]
pub struct Entry {
    pub path: String,
    pub name: Vec<u8>,
    pub flags: u16,
    /// 0 for stored, 8 for deflated.
    pub method: u16,
    pub crc32: u32,
    pub compressed: u32,
    /// Inflated, in bytes.
    pub size: u32,
    /// Where the local header begins in the file.
    pub start: u64,
    /// Where the next entry or the directory begins.
    pub end: u64,
}

impl Entry {
    pub fn is_folder(&self) -> bool {
        self.path.ends_with('/')
    }
}

impl Directory {
    /// All entries in the directory's order, or the first reason why spec-kit refuses the archive.
    pub fn entries(&self) -> Result<Vec<Entry>, Unlisted> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut entries = Vec::new();
        for record in self.records() {
            entries.push(self.entry(&record?)?);
            if entries.len() > ARCHIVE_ENTRIES_MAX {
                return Err(too_large("the archive has over 512 entries"));
            }
        }
        if entries.len() != usize::from(self.records) {
            return Err(zip_fault(
                "the archive's end record counts other entries than there are",
            ));
        }
        let files = entries.iter().filter(|entry| !entry.is_folder());
        if files.map(|entry| u64::from(entry.size)).sum::<u64>() > ARCHIVE_BYTES_MAX {
            return Err(too_large("the archive's files are over 50 MiB together"));
        }
        refuse_collisions(&entries)?;
        self.bound(&mut entries)?;
        Ok(entries)
    }

    fn entry(&self, record: &Record<'_>) -> Result<Entry, Unlisted> {
        let fixed = record.fixed;
        let entry = Entry {
            path: record.path().unwrap_or_default(),
            name: record.name.to_vec(),
            flags: record.flags(),
            method: u16_at(fixed, 10),
            crc32: u32_at(fixed, 16),
            compressed: u32_at(fixed, 20),
            size: u32_at(fixed, 24),
            start: self.prefix + u64::from(u32_at(fixed, 42)),
            end: self.start,
        };
        check_features(u16_at(fixed, 6), entry.method, entry.flags)?;
        check_extra(record.extra)?;
        if [entry.compressed, entry.size, u32_at(fixed, 42)].contains(&u32::MAX) {
            return Err(zip_fault(
                "an entry is in the ZIP64 format; spec-kit reads plain ZIP",
            ));
        }
        if u16_at(fixed, 34) != 0 {
            return Err(zip_fault(
                "the archive has several disks; spec-kit reads one",
            ));
        }
        if u32_at(fixed, 38) >> 16 & FILE_TYPE == SYMLINK {
            return Err(zip_fault("the archive has a symbolic link"));
        }
        let folders = entry.path.trim_end_matches('/').bytes();
        if folders.filter(|byte| *byte == b'/').count() > ARCHIVE_FOLDERS_MAX {
            return Err(zip_fault("the archive's folders are over 32 deep"));
        }
        if !is_portable(&entry.path) {
            return Err(zip_fault("a path in the archive is unsafe or not portable"));
        }
        if !entry.is_folder() && entry.size > ARCHIVE_ENTRY_BYTES_MAX {
            return Err(too_large("a file in the archive is over 10 MiB"));
        }
        if entry.method == 0 && entry.compressed != entry.size {
            return Err(zip_fault("a stored entry has two different sizes"));
        }
        Ok(entry)
    }

    /// Bounds each entry by the next one, so that none of them overlap.
    fn bound(&self, entries: &mut [Entry]) -> Result<(), Unlisted> {
        let mut order: Vec<&mut Entry> = entries.iter_mut().collect();
        order.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.start));
        let mut next = self.start;
        for entry in order {
            let least = (LOCAL_BYTES + entry.name.len()) as u64 + u64::from(entry.compressed);
            if entry.start + least > next {
                return Err(zip_fault("entries of the archive overlap"));
            }
            entry.end = next;
            next = entry.start;
        }
        Ok(())
    }
}

/// Refuses what Python's reader of ZIP, or the bounded one of spec-kit, does not read.
pub fn check_features(version: u16, method: u16, flags: u16) -> Result<(), Unlisted> {
    if !matches!(method, 0 | 8) {
        return Err(zip_fault("an entry is neither stored nor deflated"));
    }
    if version >= VERSION_ZIP64 {
        return Err(zip_fault(
            "an entry needs ZIP64 or newer; spec-kit reads plain ZIP",
        ));
    }
    if flags & FLAGS_REFUSED != 0 {
        return Err(zip_fault("an entry is encrypted or patched"));
    }
    Ok(())
}

/// Refuses extra fields of ZIP64, and those that are longer than the space for them.
pub fn check_extra(mut extra: &[u8]) -> Result<(), Unlisted> {
    while extra.len() >= 4 {
        if u16_at(extra, 0) == ZIP64_FIELD {
            return Err(zip_fault(
                "an entry is in the ZIP64 format; spec-kit reads plain ZIP",
            ));
        }
        extra = extra
            .get(4 + usize::from(u16_at(extra, 2))..)
            .ok_or_else(|| zip_fault("an entry's extra field is malformed"))?;
    }
    Ok(())
}

/// Refuses two paths that are one where case does not count, and a file that is also a folder.
fn refuse_collisions(entries: &[Entry]) -> Result<(), Unlisted> {
    let mut paths: Vec<_> = entries
        .iter()
        .map(|entry| (folded(&entry.path), entry.is_folder()))
        .collect();
    paths.sort_unstable();
    let collides = paths.windows(2).any(|pair| {
        let [(path, is_folder), (next, _)] = pair else {
            return false;
        };
        let Some(rest) = next.strip_prefix(&path[..]) else {
            return false;
        };
        rest.is_empty() || rest.starts_with('\0') && !is_folder
    });
    if collides {
        return Err(zip_fault("two paths in the archive collide"));
    }
    Ok(())
}
