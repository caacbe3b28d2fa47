//! Files that are still being written.
//!
//! Invariants: such a file has no name where the file system can do that (`O_TMPFILE`); else it has a hidden one and its
//! writer holds a lock on it, so that whoever finds it without a lock knows that its writer is gone.
//!
//! The trap: between creating a named file and locking it, another process's clean-up may lock and remove it. So the
//! file's link count is looked at once it is locked, and an orphan is given up.
//!
//! Sources: open(2), `O_TMPFILE`; linkat(2) with `/proc/self/fd`; flock(2).

use super::directory::Directory;
use super::error::{Result, failed};
use super::lock::DirLock;
use rustix::fs::{AtFlags, CWD, FlockOperation, RenameFlags};
use rustix::io::Errno;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::AsRawFd;
use std::path::Path;

/// How the hidden names of unfinished files begin.
const PREFIX: &str = ".upload-";

/// Attempts to create a named file before another process's clean-up is taken for something else.
const ATTEMPTS_MAX: usize = 16;

/// Whether this is the name of an unfinished file.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// A file that is still being written; dropped without being placed, it goes.
#[derive(Debug)]
pub struct TemporaryFile {
    /// The file, open for reading and writing.
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
            log::error!(error:% = error; "an unfinished upload stays behind until the next clean-up");
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
    /// Creates one in the directory at `path`.
    pub fn create(path: &Path) -> Result<Self> {
        let directory = Directory::open(path)?;
        if can_link_unnamed() {
            match directory.create_unnamed() {
                Ok(file) => return Ok(Self { file, named: None }),
                // What kernels and file systems without it answer.
                Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::ISDIR | Errno::NOENT) => {}
                Err(error) => return Err(failed("create a file in", path)(error)),
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

    /// Gives the file its name, in one step; fails with `EXIST` where the name is taken, by whatever.
    pub fn place_new(&mut self, lock: &DirLock, name: &str) -> rustix::io::Result<()> {
        match self.named.take() {
            None => self.link(lock.directory(), name),
            Some(named) => {
                let placed = rename_new(&named, lock.directory(), name);
                if placed.is_err() {
                    self.named = Some(named);
                }
                placed
            }
        }
    }

    /// Gives the file its name, in one step, in place of the file that has it.
    pub fn replace(&mut self, lock: &DirLock, name: &str) -> rustix::io::Result<()> {
        let directory = lock.directory();
        if let Some(named) = self.named.take() {
            let placed = rustix::fs::renameat(&named.directory, &named.name, directory, name);
            if placed.is_err() {
                self.named = Some(named);
            }
            return placed;
        }
        // A file without a name can only be linked to a free one. Until the rename, the directory's lock keeps
        // clean-ups away from it; after a crash they find it.
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

/// Renames unless the new name is taken. File systems that cannot (NFS) can link.
fn rename_new(named: &Named, directory: &Directory, name: &str) -> rustix::io::Result<()> {
    let (from, old) = (&named.directory, &named.name);
    match rustix::fs::renameat_with(from, old, directory, name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => {
            rustix::fs::linkat(from, old, directory, name, AtFlags::empty())?;
            // The package is in place; a hidden name that stays is a leftover like any other.
            let _ = from.remove(old);
            Ok(())
        }
        result => result,
    }
}

/// Linking a file without a name goes through `/proc`, which not every sandbox has.
fn can_link_unnamed() -> bool {
    Path::new("/proc/self/fd").exists()
}
