//! One file of an archive: its local header, inflating, and its CRC-32.
//!
//! Invariants: a file is read by one bounded read; inflating stops at the bound, whatever the
//! headers say; content is handed out only where its length and CRC-32 are those of the directory.
//!
//! Sources: APPNOTE 6.3.10, section 4.3.7; RFC 1951 (deflate); RFC 1952, section 8 (CRC-32).

use super::archive::{Entry, check_extra, check_features};
use super::outcome::Unlisted;
use super::source::Source;
use super::zip::{LOCAL_BYTES, u16_at, u32_at, zip_fault};
use crate::limits::KIB;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use std::io;

/// What a file may take in the archive beyond its bound: name, extra fields, and what deflating
/// made longer.
const OVERHEAD_BYTES_MAX: u64 = 64 * KIB as u64;
/// Sizes and CRC-32 come after the content.
const FLAG_SIZES_FOLLOW: u16 = 0x8;

/// The content of an entry of at most `bytes_max`; the inner error says why spec-kit refuses it.
pub fn content<S: Source + ?Sized>(
    source: &S,
    entry: &Entry,
    bytes_max: u32,
) -> io::Result<Result<Vec<u8>, Unlisted>> {
    let length = (entry.end - entry.start).min(u64::from(bytes_max) + OVERHEAD_BYTES_MAX);
    let length = usize::try_from(length).unwrap_or(LOCAL_BYTES);
    let bytes = source.read_at(entry.start, length)?;
    Ok(packed(&bytes, entry).and_then(|packed| unpacked(packed, entry, bytes_max)))
}

/// What follows a local header that agrees with the directory.
fn packed<'b>(bytes: &'b [u8], entry: &Entry) -> Result<&'b [u8], Unlisted> {
    let disagrees = || zip_fault("an entry's local header disagrees with the directory");
    let (header, rest) = bytes.split_at_checked(LOCAL_BYTES).ok_or_else(disagrees)?;
    let (name, extra) = (u16_at(header, 26), u16_at(header, 28));
    let (name, rest) = rest
        .split_at_checked(usize::from(name))
        .ok_or_else(disagrees)?;
    let (extra, rest) = rest
        .split_at_checked(usize::from(extra))
        .ok_or_else(disagrees)?;
    let (flags, method) = (u16_at(header, 6), u16_at(header, 8));
    check_features(u16_at(header, 4), method, flags)?;
    check_extra(extra)?;
    let numbers = [u32_at(header, 14), u32_at(header, 18), u32_at(header, 22)];
    let agrees = if flags & FLAG_SIZES_FOLLOW == 0 {
        numbers == [entry.crc32, entry.compressed, entry.size]
    } else {
        !numbers[1..].contains(&u32::MAX)
    };
    let is_same = header.starts_with(b"PK\x03\x04")
        && (flags, method, name) == (entry.flags, entry.method, &entry.name[..]);
    if !agrees || !is_same {
        return Err(disagrees());
    }
    usize::try_from(entry.compressed)
        .ok()
        .and_then(|length| rest.get(..length))
        .ok_or_else(disagrees)
}

fn unpacked(packed: &[u8], entry: &Entry, bytes_max: u32) -> Result<Vec<u8>, Unlisted> {
    let damaged = || zip_fault("a file in the archive is damaged");
    // A limit of 0 would leave no room in which to find the end of an empty file.
    let limit = usize::try_from(entry.size.min(bytes_max))
        .unwrap_or_default()
        .max(1);
    let content = match entry.method {
        0 => packed.to_vec(),
        _ => decompress_to_vec_with_limit(packed, limit).map_err(|_| damaged())?,
    };
    let is_whole = u32::try_from(content.len()) == Ok(entry.size);
    if is_whole && crc32fast::hash(&content) == entry.crc32 {
        Ok(content)
    } else {
        Err(damaged())
    }
}
