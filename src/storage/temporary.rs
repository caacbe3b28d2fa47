//! Files that are still being written.
//!
//! Invariants: such a file has no name where the file system supports that (`O_TMPFILE`). Elsewhere
//! it has a hidden name and its writer holds a lock on it: a hidden file without a lock has no
//! writer any more.
//!
//! Between creating a named file and locking it, another process's clean-up may lock and remove it.
//! So the link count is checked after locking, and a removed file is given up.
//!
//! Sources: open(2), `O_TMPFILE`; linkat(2) with `/proc/self/fd`; flock(2).

use super::directory::Directory;
use super::error::{Failure, FailureReason, Result, StorageError, failed};
use rustix::fs::{AtFlags, CWD, FlockOperation, RenameFlags};
use rustix::io::Errno;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::AsRawFd;
use std::path::Path;

/// The hidden names of unfinished files begin with this.
const PREFIX: &str = ".upload-";

/// Attempts to create a named file before another process's clean-up is ruled out as the cause. One
/// that runs without a pause wins more than half of them.
const ATTEMPTS_MAX: usize = 256;

/// Whether this is a name that [`fresh_name`] gives. A person may have made others like it.
pub fn is_temporary(name: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.strip_prefix(PREFIX)
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(digit))
}

/// The lock on an unfinished file; an error where its writer holds it. The caller keeps the lock
/// until the name is removed: a writer that has just created the file then finds it locked or
/// without a name, and gives it up. Network file systems lock only files that are open for writing.
pub fn abandoned_lock(directory: &Directory, name: &str) -> rustix::io::Result<File> {
    let file = directory.open_for_lock(name)?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// A file that is still being written; dropped before it is placed, it is removed.
#[derive(Debug)]
pub struct TemporaryFile {
    /// Open for reading and writing.
    pub file: File,
    named: Option<Named>,
}

#[derive(Debug)]
struct Named {
    directory: Directory,
    name: String,
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(Named { directory, name }) = &self.named
            && let Err(error) = directory.remove(name)
        {
            log::error!(
                error:% = error;
                "an unfinished upload could not be removed; the clean-up tries again"
            );
        }
    }
}

fn fresh_name() -> String {
    format!(
        "{PREFIX}{:016x}",
        RandomState::new().hash_one(std::process::id())
    )
}

impl TemporaryFile {
    pub fn create(path: &Path) -> Result<Self> {
        let directory = Directory::open(path)?;
        if can_link_unnamed() {
            match directory.create_unnamed() {
                Ok(file) => return Ok(Self { file, named: None }),
                // Kernels and file systems without unnamed files give these.
                Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::ISDIR | Errno::NOENT) => {}
                Err(error) => return Err(failed("write to the directory", path)(error)),
            }
        }
        Self::create_named(directory)
    }

    fn create_named(directory: Directory) -> Result<Self> {
        for _ in 0..ATTEMPTS_MAX {
            let name = fresh_name();
            let shown = directory.path(&name);
            let file = match directory.create_file(&name) {
                Ok(file) => file,
                Err(Errno::EXIST) => continue,
                Err(error) => return Err(failed("create", shown)(error)),
            };
            let locked = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
            if let Err(error) = locked
                && error != Errno::WOULDBLOCK
            {
                directory.remove(&name)?;
                return Err(failed("lock", shown)(error));
            }
            let links = rustix::fs::statx(
                &file,
                "",
                AtFlags::EMPTY_PATH,
                rustix::fs::StatxFlags::NLINK,
            );
            if locked.is_ok() && links.is_ok_and(|stat| stat.stx_nlink > 0) {
                let named = Some(Named { directory, name });
                return Ok(Self { file, named });
            }
        }
        Err(failed("keep a new file in", directory.path(""))(
            Errno::AGAIN,
        ))
    }

    /// Whether the file system has what unfinished files need. Other errors show when a package is
    /// published.
    pub fn check_support(path: &Path) -> std::io::Result<()> {
        match Self::create(path) {
            Err(StorageError::Failed(Failure {
                error: FailureReason::System(error),
                ..
            })) if is_unsupported(error) => Err(std::io::Error::other(
                "its file system has neither unnamed files (O_TMPFILE) nor locks (flock)",
            )),
            _ => Ok(()),
        }
    }

    /// Gives the file its name in one step; fails with `EXIST` where anything has the name.
    pub fn place_new(&mut self, directory: &Directory, name: &str) -> rustix::io::Result<()> {
        match self.named.take() {
            None => self.link(directory, name),
            Some(named) => {
                let placed = rename_new(&named, directory, name);
                if placed.is_err() {
                    self.named = Some(named);
                }
                placed
            }
        }
    }

    /// Gives the file its name in one step, in place of the file that has the name.
    pub fn replace(&mut self, directory: &Directory, name: &str) -> rustix::io::Result<()> {
        if let Some(named) = self.named.take() {
            let placed = rustix::fs::renameat(&named.directory, &named.name, directory, name);
            if placed.is_err() {
                self.named = Some(named);
            }
            return placed;
        }
        // An unnamed file can only be linked to a free name. Until the rename, the directory's lock
        // keeps clean-ups away; after a crash they remove it.
        let hidden = fresh_name();
        self.link(directory, &hidden)?;
        let placed = rustix::fs::renameat(directory, &hidden, directory, name);
        if placed.is_err() {
            let _ = directory.remove(&hidden);
        }
        placed
    }

    fn link(&self, directory: &Directory, name: &str) -> rustix::io::Result<()> {
        let unnamed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        rustix::fs::linkat(CWD, unnamed, directory, name, AtFlags::SYMLINK_FOLLOW)
    }
}

/// Renames unless the new name is taken. File systems that cannot do that (NFS) can link.
fn rename_new(named: &Named, directory: &Directory, name: &str) -> rustix::io::Result<()> {
    let (from, old) = (&named.directory, &named.name);
    match rustix::fs::renameat_with(from, old, directory, name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => {
            rustix::fs::linkat(from, old, directory, name, AtFlags::empty())?;
            // The package is in place; the clean-up removes a hidden name that remains.
            let _ = from.remove(old);
            Ok(())
        }
        result => result,
    }
}

fn is_unsupported(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOLCK
    )
}

/// Linking an unnamed file needs `/proc`, which not every sandbox has.
fn can_link_unnamed() -> bool {
    Path::new("/proc/self/fd").exists()
}
