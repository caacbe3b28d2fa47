//! The generation of the directory: every group of changes by a server gives it another value, and
//! every list compares it with the value that it was made at.
//!
//! It is the size of a hidden file that has no content. So reading it is one statx(2), which asks
//! the server on a network file system, and changing it is one ftruncate(2). The directory's
//! modification time does not replace it: two changes within one tick of the file system's clock
//! have the same time.
//!
//! Invariants: the generation changes only under the directory's lock, after the names have changed
//! and before any answer. A lost or reset file is harmless: only equality is compared, and only by
//! processes that run.

use super::lock::DirLock;
use crate::storage::directory::{Directory, GENERATION_FILE, NEW_SHARED_FILE_MODE};
use crate::storage::error::{Result, failed};
use rustix::fs::{AtFlags, CWD, OFlags, StatxFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The size begins again at 0 here: programs that copy the directory may not know sparse files.
const SIZE_MAX: u64 = 1024 * 1024;

/// Inode and size of the file; `None` without a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generation(Option<(u64, u64)>);

/// The path of the file, for [`read`].
pub fn path_in(directory: &Path) -> PathBuf {
    directory.join(GENERATION_FILE)
}

/// Reads the generation with one system call.
pub fn read(file: &Path) -> Result<Generation> {
    look_at(CWD, file).map_err(failed("look at", file))
}

/// Reads the generation of an open directory.
pub fn of(directory: &Directory) -> Result<Generation> {
    let file = Path::new(GENERATION_FILE);
    look_at(directory, file).map_err(failed("look at", directory.path(GENERATION_FILE)))
}

fn look_at(directory: impl AsFd, file: &Path) -> rustix::io::Result<Generation> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_FORCE_SYNC;
    match rustix::fs::statx(directory, file, flags, StatxFlags::INO | StatxFlags::SIZE) {
        Ok(stat) => Ok(Generation(Some((stat.stx_ino, stat.stx_size)))),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(Generation(None)),
        Err(error) => Err(error),
    }
}

/// Gives the directory another generation.
pub fn advance(lock: &DirLock) -> Result<()> {
    let directory = lock.directory();
    let Generation(before) = of(directory)?;
    let file = match open(directory, OFlags::empty()) {
        // The file belongs to a server that runs as another user.
        Err(Errno::ACCESS | Errno::PERM) => {
            directory.remove(GENERATION_FILE)?;
            open(directory, OFlags::EXCL)
        }
        opened => opened,
    };
    file.and_then(|file| {
        let size = before.map_or(0, |(_, size)| size) + 1;
        rustix::fs::ftruncate(&file, size % SIZE_MAX)
    })
    .map_err(failed("write", directory.path(GENERATION_FILE)))
}

fn open(directory: &Directory, more_flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(
        directory,
        GENERATION_FILE,
        flags | more_flags,
        NEW_SHARED_FILE_MODE,
    )
}
