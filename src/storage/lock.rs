//! The lock on the storage directory: one publish, delete or sweep at a time, among all processes that share it.
//!
//! Invariants:
//! - Whoever changes names of packages or sidecars holds a [`DirLock`]; the functions that do so ask for one.
//! - The lock is the kernel's (flock(2)): it goes with its process, however that ends. On most file systems it is taken
//!   on the directory itself and leaves nothing behind; network file systems lock only files that are open for
//!   writing, so there it is taken on [`LOCK_FILE`].
//! - Nobody waits for ever. Some network file systems block in flock even when asked not to, so one thread does all
//!   the waiting, and workers wait for that thread, for a bounded time.

use super::directory::Directory;
use super::error::{Result, StorageError, failed};
use crate::limits::LOCK_WAIT_MAX;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The file that stands for the directory where that cannot be locked itself.
pub const LOCK_FILE: &str = ".release-server.lock";

/// Takes the lock for all workers of this process.
#[derive(Debug)]
pub struct LockKeeper(Arc<Shared>);

/// The lock, held; it ends when this is dropped. The order of the fields is the order in which they go: the kernel's
/// lock with its descriptors first, then the turn within this process.
#[derive(Debug)]
pub struct DirLock {
    directory: Directory,
    _lock_file: Option<OwnedFd>,
    _turn: TakenTurn,
}

impl DirLock {
    /// The directory that is locked.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

#[derive(Debug)]
struct Shared {
    turn: Mutex<Turn>,
    changed: Condvar,
}

/// Whose turn it is within this process.
#[derive(Debug)]
enum Turn {
    /// Nobody's.
    Free,
    /// A worker waits for the thread to take the lock.
    Asked,
    /// The thread has the answer for that worker: the directory, and the lock file where one is needed.
    Answered(Result<(Directory, Option<OwnedFd>)>),
    /// The worker has the lock.
    Taken,
    /// The worker gave up before there was an answer.
    Abandoned,
    /// The keeper is gone, the thread is to end.
    Ended,
}

#[derive(Debug)]
struct TakenTurn(Arc<Shared>);

impl Drop for TakenTurn {
    fn drop(&mut self) {
        self.0.pass(&mut self.0.lock(), Turn::Free);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, turn: &mut Turn, next: Turn) -> Turn {
        self.changed.notify_all();
        std::mem::replace(turn, next)
    }

    /// Waits while the turn is as described, but not for ever.
    fn wait_while<'s>(
        &self,
        turn: MutexGuard<'s, Turn>,
        condition: impl Fn(&Turn) -> bool,
    ) -> MutexGuard<'s, Turn> {
        self.changed
            .wait_timeout_while(turn, LOCK_WAIT_MAX, |turn| condition(turn))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

impl LockKeeper {
    /// Starts the thread that waits for the lock of the directory at `path`.
    pub fn start(path: &Path) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            turn: Mutex::new(Turn::Free),
            changed: Condvar::new(),
        });
        let (waiter, path) = (Arc::clone(&shared), path.to_owned());
        std::thread::Builder::new()
            .name("lock".to_owned())
            .spawn(move || wait_for_locks(&waiter, &path))?;
        Ok(Self(shared))
    }

    /// Waits for the lock, for a bounded time.
    pub fn acquire(&self) -> Result<DirLock> {
        let shared = &self.0;
        let mut turn = shared.wait_while(shared.lock(), |turn| !matches!(turn, Turn::Free));
        if !matches!(*turn, Turn::Free) {
            return Err(StorageError::Busy);
        }
        shared.pass(&mut turn, Turn::Asked);
        let mut turn = shared.wait_while(turn, |turn| matches!(turn, Turn::Asked));
        if matches!(*turn, Turn::Asked) {
            shared.pass(&mut turn, Turn::Abandoned);
            return Err(StorageError::Busy);
        }
        let answer = shared.pass(&mut turn, Turn::Taken);
        drop(turn);
        let turn = TakenTurn(Arc::clone(shared));
        match answer {
            Turn::Answered(Ok((directory, lock_file))) => Ok(DirLock {
                directory,
                _lock_file: lock_file,
                _turn: turn,
            }),
            Turn::Answered(Err(error)) => Err(error),
            _ => Err(StorageError::Busy),
        }
    }
}

impl Drop for LockKeeper {
    fn drop(&mut self) {
        self.0.pass(&mut self.0.lock(), Turn::Ended);
    }
}

fn wait_for_locks(shared: &Shared, path: &Path) {
    loop {
        let turn = shared
            .changed
            .wait_while(shared.lock(), |turn| {
                !matches!(turn, Turn::Asked | Turn::Ended)
            })
            .unwrap_or_else(PoisonError::into_inner);
        if matches!(*turn, Turn::Ended) {
            return;
        }
        drop(turn);
        let answer = take(path);
        let mut turn = shared.lock();
        match *turn {
            Turn::Asked => drop(shared.pass(&mut turn, Turn::Answered(answer))),
            Turn::Abandoned => drop(shared.pass(&mut turn, Turn::Free)),
            _ => {}
        }
    }
}

/// Opens the directory and waits for its lock, however long that takes.
fn take(path: &Path) -> Result<(Directory, Option<OwnedFd>)> {
    let directory = Directory::open(path)?;
    match flock(&directory) {
        Ok(()) => return Ok((directory, None)),
        Err(Errno::BADF | Errno::INVAL | Errno::ISDIR | Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(error) => return Err(failed("lock", path)(error)),
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    let shown: PathBuf = directory.path(LOCK_FILE);
    let file = rustix::fs::openat(&directory, LOCK_FILE, flags, mode)
        .map_err(failed("open the lock file", &shown))?;
    match flock(&file) {
        // No locks at all: such a file system serves one machine, and within it the turns keep the order.
        Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok((directory, Some(file))),
        Err(error) => Err(failed("lock", &shown)(error)),
    }
}

fn flock(descriptor: impl AsFd) -> rustix::io::Result<()> {
    rustix::io::retry_on_intr(|| rustix::fs::flock(&descriptor, FlockOperation::LockExclusive))
}
