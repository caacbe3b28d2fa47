//! The open storage directory: every system call on it, relative to one descriptor.
//!
//! Invariants: a name is resolved in this very directory and its last component is never followed,
//! so that nothing outside can be read or written through a symbolic link. Everything but a regular
//! file is reported as [`Entry::Other`].
//!
//! Sources: openat(2), statx(2), linkat(2), rename(2); `STATX_FORCE_SYNC` makes a network file
//! system ask its server.

use super::error::{Result, failed, unavailable};
use super::package::PackageState;
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, Statx, StatxFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The kind of thing that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    File(PackageState),
    /// Not a regular file: a directory, a link, a device.
    Other,
}

impl From<&Statx> for Entry {
    fn from(stat: &Statx) -> Self {
        if FileType::from_raw_mode(u32::from(stat.stx_mode)) != FileType::RegularFile {
            return Self::Other;
        }
        Self::File(PackageState {
            identity: stat.stx_ino,
            size: stat.stx_size,
            modified: time(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            changed: time(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
        })
    }
}

fn time(seconds: i64, nanoseconds: u32) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    base.unwrap_or(UNIX_EPOCH) + Duration::from_nanos(u64::from(nanoseconds))
}

const STATE: StatxFlags = StatxFlags::TYPE
    .union(StatxFlags::INO)
    .union(StatxFlags::SIZE)
    .union(StatxFlags::MTIME)
    .union(StatxFlags::CTIME);

pub fn state_of(file: impl AsFd) -> rustix::io::Result<Entry> {
    rustix::fs::statx(file, "", AtFlags::EMPTY_PATH, STATE).map(|stat| Entry::from(&stat))
}

/// The state of what has a name now. A network file system asks its server, as opening would.
pub fn state_at(path: &Path) -> rustix::io::Result<Entry> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_FORCE_SYNC;
    rustix::fs::statx(CWD, path, flags, STATE).map(|stat| Entry::from(&stat))
}

/// Opens a file for reading without following a link or waiting for the other end of a pipe.
pub fn open_file(path: &Path) -> rustix::io::Result<File> {
    rustix::fs::openat(CWD, path, READ, Mode::empty()).map(File::from)
}

/// The same, with the file's state. On a network file system another host may have removed the file
/// that was opened, which shows as `STALE`: then the name stands for another one, or for none.
pub fn open_with_state(path: &Path) -> rustix::io::Result<(File, Entry)> {
    let open = || {
        let file = open_file(path)?;
        let entry = state_of(&file)?;
        Ok((file, entry))
    };
    let mut opened = open();
    for _ in 1..STALE_OPENS_MAX {
        if !matches!(opened, Err(Errno::STALE)) {
            break;
        }
        // Opening alone asks this host only, if it has the removed file open elsewhere. A look at
        // the name asks the file server.
        let _ = state_at(path);
        opened = open();
    }
    opened
}

/// How often a file that others replace all the time is opened.
const STALE_OPENS_MAX: usize = 8;

const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

#[derive(Debug)]
pub struct Directory {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// Opens the directory that has this path now.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(unavailable("open the directory", path))?;
        Ok(Self {
            descriptor,
            path: path.to_owned(),
        })
    }

    /// The path of a name in the directory, for messages.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The entry that has this name, if any.
    pub fn entry(&self, name: &str) -> Result<Option<Entry>> {
        match rustix::fs::statx(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW, STATE) {
            Ok(stat) => Ok(Some(Entry::from(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed("look at", self.path(name))(error)),
        }
    }

    /// Inode and modification time of the directory itself. A network file system asks its server.
    pub fn version(&self) -> Result<(u64, SystemTime)> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
        let stat = rustix::fs::statx(&self.descriptor, "", flags, STATE)
            .map_err(failed("look at the directory", &self.path))?;
        let modified = time(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec);
        Ok((stat.stx_ino, modified))
    }

    /// Whether the descriptor is of the file that has this name now.
    pub fn has_file(&self, name: &str, file: impl AsFd) -> Result<bool> {
        let own = state_of(file).map_err(failed("look at", self.path(name)))?;
        Ok(matches!((self.entry(name)?, own),
            (Some(Entry::File(now)), Entry::File(own)) if now.identity == own.identity))
    }

    /// Whether a lock on the directory excludes processes on other hosts, as far as there are any.
    /// Directories of these file systems have no lock operation of their own, so the kernel keeps
    /// such locks to itself.
    pub fn shares_its_lock(&self) -> Result<bool> {
        let file_system = rustix::fs::fstatfs(&self.descriptor)
            .map_err(failed("look at the file system of", &self.path))?;
        // The length and the sign of the field differ between processors.
        let [first, second, third, fourth, ..] = file_system.f_type.to_le_bytes();
        let magic = u32::from_le_bytes([first, second, third, fourth]);
        Ok(!UNSHARED_LOCKS.contains(&magic))
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: &str) -> rustix::io::Result<File> {
        rustix::fs::openat(&self.descriptor, name, READ, Mode::empty()).map(File::from)
    }

    /// Opens a file for reading and writing, which locks on network file systems need.
    pub fn open_for_lock(&self, name: &str) -> rustix::io::Result<File> {
        let flags = READ.difference(OFlags::RDONLY).union(OFlags::RDWR);
        rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()).map(File::from)
    }

    /// Creates a file for reading and writing; fails where anything has the name.
    pub fn create_file(&self, name: &str) -> rustix::io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        rustix::fs::openat(&self.descriptor, name, flags, NEW_FILE_MODE).map(File::from)
    }

    /// Creates a file without a name, where the file system supports that.
    pub fn create_unnamed(&self) -> rustix::io::Result<File> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        rustix::fs::openat(&self.descriptor, ".", flags, NEW_FILE_MODE).map(File::from)
    }

    /// Removes a name; returns whether it existed.
    pub fn remove(&self, name: &str) -> Result<bool> {
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(failed("remove", self.path(name))(error)),
        }
    }

    /// Makes every change of names durable.
    pub fn sync(&self) -> Result<()> {
        rustix::fs::fsync(&self.descriptor).map_err(failed("sync the directory", &self.path))
    }

    pub fn entries(&self) -> Result<rustix::fs::Dir> {
        rustix::fs::Dir::read_from(&self.descriptor)
            .map_err(failed("list the directory", &self.path))
    }

    /// Bytes that an unprivileged process can still write; `None` where the file system does not
    /// report its space, which shows as a size of 0.
    pub fn free_bytes(&self) -> Result<Option<u64>> {
        let status = rustix::fs::fstatvfs(&self.descriptor)
            .map_err(failed("ask for the free space of", &self.path))?;
        let free_bytes = status.f_bavail.saturating_mul(status.f_frsize);
        Ok((status.f_blocks > 0).then_some(free_bytes))
    }

    /// Refuses an upload of so many bytes where there is no room for it.
    pub fn check_room(&self, bytes: u64) -> Result<()> {
        match self.free_bytes()? {
            Some(free_bytes) if bytes > free_bytes => {
                let full = failed("make room for an upload in", &self.path);
                Err(full(Errno::NOSPC))
            }
            _ => Ok(()),
        }
    }

    /// Whether files can be read and created in it. A full disk does not count.
    pub fn check_access(&self) -> Result<()> {
        let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&self.descriptor, ".", access, AtFlags::empty())
            .map_err(failed("write to the directory", &self.path))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// NFS, SMB (three), FUSE and 9P, as statfs(2) numbers them.
const UNSHARED_LOCKS: [u32; 6] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x6573_5546,
    0x0102_1997,
];

/// The hidden file whose size is the directory's generation. The Python server lists hidden files
/// as packages, but no file with the suffix of a sidecar.
pub const GENERATION_FILE: &str = ".release-server.generation.sha256";

/// Writable by all, as far as the process's umask allows: other servers on the volume write it too.
pub const NEW_SHARED_FILE_MODE: Mode = NEW_FILE_MODE.union(Mode::WGRP).union(Mode::WOTH);

/// Readable by all, as far as the process's umask allows: other servers on the volume may run as
/// other users.
const NEW_FILE_MODE: Mode = Mode::RUSR
    .union(Mode::WUSR)
    .union(Mode::RGRP)
    .union(Mode::ROTH);

/// Creates the directory and its missing parents. Each is synced into its parent: packages are
/// only as durable as the path that leads to them.
pub fn create_durably(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    create_durably(parent)?;
    match std::fs::create_dir(path) {
        // Another server created it at the same time.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        created => created?,
    }
    File::open(parent)?.sync_all()
}
