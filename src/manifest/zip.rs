//! The directory of a ZIP archive: two reads, then the checks that spec-kit makes before it extracts.
//!
//! Invariants: at most [`TAIL_BYTES_MAX`] and [`DIRECTORY_BYTES_MAX`] are read, whatever the archive
//! says; no number of the archive is used as an offset before it was compared with the archive's
//! size; entries never overlap. What is accepted, `specify` 1.2.3 accepts.
//!
//! Source: APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.16 (end record).

use super::archive_path::{decode, folded, is_portable};
use super::outcome::{Reason, Unlisted};
use super::source::Source;
use crate::limits::{KIB, MIB};
use memchr::memmem;
use std::io;

/// The end record with the longest comment.
const TAIL_BYTES_MAX: u64 = END_BYTES as u64 + 65_535;
const DIRECTORY_BYTES_MAX: usize = MIB;
const FILE_BYTES_MAX: u64 = 50 * MIB as u64;
const ENTRIES_MAX: usize = 512;
const ENTRY_BYTES_MAX: u32 = 10 * MIB as u32;
const TOTAL_BYTES_MAX: u64 = 50 * MIB as u64;

const END_BYTES: usize = 22;
const RECORD_BYTES: usize = 46;
/// The local header without name and extra fields.
pub const LOCAL_BYTES: usize = 30;
const ZIP64_LOCATOR_BYTES: usize = 20;
/// The version of the format from which ZIP64 and everything newer is needed.
const VERSION_ZIP64: u16 = 45;
const ZIP64_FIELD: u16 = 1;
/// Encrypted, patched, strongly encrypted, or with hidden headers.
const FLAGS_REFUSED: u16 = 0x1 | 0x20 | 0x40 | 0x2000;
const FLAG_UTF8: u16 = 0x800;
const FILE_TYPE: u32 = 0o170_000;
const SYMLINK: u32 = 0o120_000;

pub fn zip_fault(message: &str) -> Unlisted {
    Unlisted::new(Reason::Zip, message)
}

pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

/// A record of the directory, as it is written.
#[derive(Debug)]
pub struct Record<'d> {
    fixed: &'d [u8],
    name: &'d [u8],
    extra: &'d [u8],
}

impl Record<'_> {
    fn flags(&self) -> u16 {
        u16_at(self.fixed, 8)
    }

    /// The path with `/` between its parts, unless no reader should accept it.
    pub fn path(&self) -> Option<String> {
        decode(self.name, self.flags() & FLAG_UTF8 != 0)
    }
}

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

/// The directory of what may be an archive.
#[derive(Debug)]
pub struct Directory {
    bytes: Vec<u8>,
    records: u16,
    /// Where the directory begins in the file, and what precedes the archive.
    start: u64,
    prefix: u64,
    /// What the end record alone shows to be wrong.
    fault: Option<Unlisted>,
}

impl Directory {
    /// Reads the directory; `None` where there is none.
    pub fn read<S: Source + ?Sized>(source: &S) -> io::Result<Option<Self>> {
        let size = source.size();
        let tail_bytes = size.min(TAIL_BYTES_MAX);
        let tail = source.read_at(size - tail_bytes, to_usize(tail_bytes))?;
        let Some(at) =
            memmem::rfind(&tail, b"PK\x05\x06").filter(|at| at + END_BYTES <= tail.len())
        else {
            return Ok(None);
        };
        let (before, end) = tail.split_at(at);
        let end_offset = size - end.len() as u64;
        let (length, offset) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
        let locator = before.len().checked_sub(ZIP64_LOCATOR_BYTES);
        let is_zip64 = u16_at(end, 10) == u16::MAX
            || u32::MAX == u32_at(end, 12)
            || u32::MAX == u32_at(end, 16)
            || locator.is_some_and(|at| before[at..].starts_with(b"PK\x06\x07"));
        // The records of a ZIP64 archive stand before those of ZIP64 itself.
        let start = if is_zip64 {
            Some(offset)
        } else {
            end_offset.checked_sub(length)
        };
        let Some(start) = start.filter(|start| offset <= *start && *start <= end_offset) else {
            return Ok(None);
        };
        let fault = if is_zip64 {
            Some(zip_fault(
                "the archive is in the ZIP64 format; spec-kit reads plain ZIP",
            ))
        } else if end.len() != END_BYTES + usize::from(u16_at(end, 20)) {
            Some(zip_fault("bytes follow the end of the archive"))
        } else if (u16_at(end, 4), u16_at(end, 6)) != (0, 0) || u16_at(end, 8) != u16_at(end, 10) {
            Some(zip_fault(
                "the archive has several disks; spec-kit reads one",
            ))
        } else if size > FILE_BYTES_MAX {
            Some(too_large("the file is over 50 MiB"))
        } else if length > DIRECTORY_BYTES_MAX as u64 {
            Some(too_large("the archive's directory is over 1 MiB"))
        } else {
            None
        };
        let readable = length
            .min(end_offset - start)
            .min(DIRECTORY_BYTES_MAX as u64);
        Ok(Some(Self {
            bytes: source.read_at(start, to_usize(readable))?,
            records: u16_at(end, 10),
            start,
            prefix: start - offset,
            fault,
        }))
    }

    /// The records up to the first that is malformed, which is `Err`.
    pub fn records(&self) -> impl Iterator<Item = Result<Record<'_>, Unlisted>> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let record = split_record(&mut rest);
            if record.is_none() {
                rest = &[];
            }
            Some(record.ok_or_else(|| zip_fault("the archive's directory is malformed")))
        })
    }

    /// All entries in the directory's order, or the first reason why spec-kit refuses the archive.
    pub fn entries(&self) -> Result<Vec<Entry>, Unlisted> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut entries = Vec::new();
        for record in self.records() {
            entries.push(self.entry(&record?)?);
            if entries.len() > ENTRIES_MAX {
                return Err(too_large("the archive has over 512 entries"));
            }
        }
        if entries.len() != usize::from(self.records) {
            return Err(zip_fault(
                "the archive's end record counts other entries than there are",
            ));
        }
        let files = entries.iter().filter(|entry| !entry.is_folder());
        if files.map(|entry| u64::from(entry.size)).sum::<u64>() > TOTAL_BYTES_MAX {
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
        if !is_portable(&entry.path) {
            return Err(zip_fault("a path in the archive is unsafe or not portable"));
        }
        if !entry.is_folder() && entry.size > ENTRY_BYTES_MAX {
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

fn too_large(message: &str) -> Unlisted {
    Unlisted::new(Reason::TooLarge, message)
}

/// A number of bytes that a constant bounds.
fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(KIB)
}

fn split_record<'d>(rest: &mut &'d [u8]) -> Option<Record<'d>> {
    let (fixed, after) = rest.split_at_checked(RECORD_BYTES)?;
    let length = |at| usize::from(u16_at(fixed, at));
    let (name, after) = after.split_at_checked(length(28))?;
    let (extra, after) = after.split_at_checked(length(30))?;
    let (_comment, after) = after.split_at_checked(length(32))?;
    *rest = after;
    fixed
        .starts_with(b"PK\x01\x02")
        .then_some(Record { fixed, name, extra })
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
        next.starts_with(path) && (next.len() == path.len() || !is_folder)
    });
    if collides {
        return Err(zip_fault("two paths in the archive collide"));
    }
    Ok(())
}
