//! Where the bytes of an archive come from: a file, or a test's memory.

use std::io;

/// Bytes of known length that can be read anywhere.
pub trait Source {
    /// The length in bytes.
    fn size(&self) -> u64;

    /// Reads exactly `length` bytes from `offset`.
    ///
    /// # Errors
    /// Whatever kept the bytes from being read, a source that became shorter included.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

impl Source for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..offset.checked_add(length)?))
            .map(<[u8]>::to_vec)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
