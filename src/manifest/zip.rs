//! The directory of a ZIP archive: two reads, then the checks that spec-kit makes before it
//! extracts.
//!
//! Invariants: at most [`TAIL_BYTES_MAX`] and [`ARCHIVE_DIRECTORY_BYTES_MAX`] are read, whatever
//! the archive says; no number of the archive is used as an offset before it was compared with the
//! archive's size; entries never overlap. What is accepted, `specify` 1.2.3 accepts.
//!
//! Source: APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.16 (end record).

use super::archive_path::decode;
use super::outcome::{Reason, Unlisted};
use super::source::Source;
use crate::limits::KIB;
use crate::limits::spec_kit::{ARCHIVE_BYTES_MAX, ARCHIVE_DIRECTORY_BYTES_MAX};
use memchr::memmem;
use std::io;

/// The end record with the longest comment.
const TAIL_BYTES_MAX: u64 = END_BYTES as u64 + 65_535;

const END_BYTES: usize = 22;
const RECORD_BYTES: usize = 46;
/// The local header without name and extra fields.
pub const LOCAL_BYTES: usize = 30;
const ZIP64_LOCATOR_BYTES: usize = 20;
const FLAG_UTF8: u16 = 0x800;

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
    pub fixed: &'d [u8],
    pub name: &'d [u8],
    pub extra: &'d [u8],
}

impl Record<'_> {
    pub fn flags(&self) -> u16 {
        u16_at(self.fixed, 8)
    }

    /// The path with `/` between its parts, unless no reader should accept it.
    pub fn path(&self) -> Option<String> {
        decode(self.name, self.flags() & FLAG_UTF8 != 0)
    }
}

/// The directory of what may be an archive.
#[derive(Debug)]
pub struct Directory {
    bytes: Vec<u8>,
    pub records: u16,
    /// Where the directory begins in the file, and what precedes the archive.
    pub start: u64,
    pub prefix: u64,
    /// What the end record alone shows to be wrong.
    pub fault: Option<Unlisted>,
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
        } else if size > ARCHIVE_BYTES_MAX {
            Some(too_large("the file is over 50 MiB"))
        } else if length > ARCHIVE_DIRECTORY_BYTES_MAX as u64 {
            Some(too_large("the archive's directory is over 128 KiB"))
        } else {
            None
        };
        let readable = length
            .min(end_offset - start)
            .min(ARCHIVE_DIRECTORY_BYTES_MAX as u64);
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
}

pub fn too_large(message: &str) -> Unlisted {
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
