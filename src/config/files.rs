//! Reading the files that settings come from or name.
//!
//! Invariant: reading ends, whatever the path leads to: a length is bounded, and a token's file is
//! a regular one, because opening a pipe would wait for its writer.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Reads a text of at most this many bytes.
pub fn read_text(path: &Path, bytes_max: usize) -> Result<String> {
    let mut text = String::new();
    let limit = bytes_max as u64 + 1;
    File::open(path)?.take(limit).read_to_string(&mut text)?;
    if text.len() > bytes_max {
        let why = format!("it is over {bytes_max} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(text)
}

/// As [`read_text`], but only from a regular file, or a link to one.
pub fn read_regular_text(path: &Path, bytes_max: usize) -> Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        let why = "it is not a regular file";
        return Err(Error::new(ErrorKind::InvalidInput, why));
    }
    read_text(path, bytes_max)
}
