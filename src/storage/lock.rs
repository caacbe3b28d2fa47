//! The lock on the storage directory: one change at a time among all processes that share it.
//!
//! Invariants:
//! - Package and sidecar names change only under a [`DirLock`], which the functions that change
//!   them take as a parameter.
//! - The lock is the kernel's (flock(2)) and ends with its process. On most file systems it is
//!   taken on the directory itself and leaves no file. Network file systems lock only files that
//!   are open for writing; there [`LOCK_FILE`] is locked.
//! - Waiting is bounded. Some network file systems block in flock even when asked not to, so one
//!   thread waits for the lock, and other threads wait for that thread with a time limit.

use super::directory::Directory;
use super::error::{Result, StorageError, failed};
use crate::limits::LOCK_WAIT_MAX;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Locked in place of the directory where the directory itself cannot be locked.
pub const LOCK_FILE: &str = ".release-server.lock";

/// Takes the lock for all threads of this process.
#[derive(Debug)]
pub struct LockKeeper(Arc<Shared>);

/// The held lock; dropping this releases it. Fields drop in their order: the kernel's lock with its
/// descriptors first, then the turn within this process.
#[derive(Debug)]
pub struct DirLock {
    directory: Directory,
    _lock_file: Option<OwnedFd>,
    _turn: TakenTurn,
}

impl DirLock {
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

#[derive(Debug)]
struct Shared {
    turn: Mutex<Turn>,
    changed: Condvar,
}

/// The turn within this process.
#[derive(Debug)]
enum Turn {
    Free,
    /// A caller waits for the lock thread.
    Asked,
    /// The lock thread's result: the directory, and the lock file where one is needed.
    Answered(Result<(Directory, Option<OwnedFd>)>),
    /// The caller holds the lock.
    Taken,
    /// The caller stopped waiting before there was a result.
    Abandoned,
    /// The keeper was dropped; the thread is to end.
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

    /// Waits at most [`LOCK_WAIT_MAX`] while the condition holds.
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

    /// Waits for the lock, at most [`LOCK_WAIT_MAX`] for each of the process and the kernel.
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

/// Opens the directory and waits for its lock without a time limit.
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
        // No locks at all: such a file system serves one process, whose turns keep the order.
        Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok((directory, Some(file))),
        Err(error) => Err(failed("lock", &shown)(error)),
    }
}

fn flock(descriptor: impl AsFd) -> rustix::io::Result<()> {
    rustix::io::retry_on_intr(|| rustix::fs::flock(&descriptor, FlockOperation::LockExclusive))
}
