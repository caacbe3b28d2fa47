//! The lock on the storage directory: one group of changes at a time among all processes that share
//! it.
//!
//! Invariants:
//! - Package and sidecar names change only under a [`DirLock`], which the functions that change
//!   them take as a parameter.
//! - The lock is the kernel's (flock(2)) and ends with its process. On a local file system it is
//!   taken on the directory itself and leaves no file. Network file systems share locks on files
//!   that are open for writing only: a directory's lock excludes the processes of one host. There
//!   [`LOCK_FILE`] is locked.
//! - Waiting is bounded. Some network file systems block in flock even when asked not to, so one
//!   thread waits for the lock, and the caller waits for that thread with a time limit.

use crate::storage::directory::{Directory, NEW_SHARED_FILE_MODE};
use crate::storage::error::{Result, StorageError, failed};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locked in place of the directory where the directory's own lock is not shared. The Python server
/// lists hidden files as packages, but no file with the suffix of a sidecar.
pub const LOCK_FILE: &str = ".release-server.lock.sha256";

/// Takes the lock for the one thread of this process that makes changes.
#[derive(Debug)]
pub struct LockKeeper(Arc<Shared>);

/// The held lock; dropping this releases it.
#[derive(Debug)]
pub struct DirLock {
    directory: Directory,
    _lock_file: Option<OwnedFd>,
}

impl DirLock {
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

#[derive(Debug)]
struct Shared {
    request: Mutex<LockRequest>,
    changed: Condvar,
}

#[derive(Debug)]
enum LockRequest {
    None,
    /// The caller waits for the lock thread.
    Waiting,
    Answered(Result<DirLock>),
    /// The caller stopped waiting before there was an answer.
    Abandoned,
    /// The keeper was dropped; the thread is to end.
    Ended,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, LockRequest> {
        self.request.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, request: &mut LockRequest, next: LockRequest) -> LockRequest {
        self.changed.notify_all();
        std::mem::replace(request, next)
    }
}

impl LockKeeper {
    /// Starts the thread that waits for the lock of the directory at `path`.
    pub fn start(path: &Path) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            request: Mutex::new(LockRequest::None),
            changed: Condvar::new(),
        });
        let (waiter, path) = (Arc::clone(&shared), path.to_owned());
        std::thread::Builder::new()
            .name("lock".to_owned())
            .spawn(move || wait_for_locks(&waiter, &path))?;
        Ok(Self(shared))
    }

    /// Waits for the lock, at most so long; `Busy` after that.
    pub fn acquire(&mut self, wait_max: Duration) -> Result<DirLock> {
        let shared = &self.0;
        let mut request = shared.lock();
        shared.set(&mut request, LockRequest::Waiting);
        let (mut request, _) = shared
            .changed
            .wait_timeout_while(request, wait_max, |request| {
                matches!(request, LockRequest::Waiting)
            })
            .unwrap_or_else(PoisonError::into_inner);
        if matches!(*request, LockRequest::Waiting) {
            shared.set(&mut request, LockRequest::Abandoned);
            return Err(StorageError::Busy);
        }
        match shared.set(&mut request, LockRequest::None) {
            LockRequest::Answered(answer) => answer,
            _ => Err(StorageError::Busy),
        }
    }
}

impl Drop for LockKeeper {
    fn drop(&mut self) {
        self.0.set(&mut self.0.lock(), LockRequest::Ended);
    }
}

fn wait_for_locks(shared: &Shared, path: &Path) {
    loop {
        let request = shared
            .changed
            .wait_while(shared.lock(), |request| {
                !matches!(request, LockRequest::Waiting | LockRequest::Ended)
            })
            .unwrap_or_else(PoisonError::into_inner);
        if matches!(*request, LockRequest::Ended) {
            return;
        }
        drop(request);
        let answer = take(path);
        let mut request = shared.lock();
        match *request {
            LockRequest::Waiting => drop(shared.set(&mut request, LockRequest::Answered(answer))),
            LockRequest::Abandoned => drop(shared.set(&mut request, LockRequest::None)),
            _ => {}
        }
    }
}

/// Opens the directory and waits for its lock without a time limit.
fn take(path: &Path) -> Result<DirLock> {
    let directory = Directory::open(path)?;
    if directory.shares_its_lock()? {
        match flock(&directory) {
            Ok(()) => {
                return Ok(DirLock {
                    directory,
                    _lock_file: None,
                });
            }
            Err(Errno::BADF | Errno::INVAL | Errno::ISDIR | Errno::OPNOTSUPP | Errno::NOSYS) => {}
            Err(error) => return Err(failed("lock", path)(error)),
        }
    }
    loop {
        let file = lock_file(&directory)?;
        // Another process may have waited for a file that was removed meanwhile.
        if directory.has_file(LOCK_FILE, &file)? {
            return Ok(DirLock {
                directory,
                _lock_file: Some(file),
            });
        }
    }
}

fn lock_file(directory: &Directory) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let shown = directory.path(LOCK_FILE);
    let file = rustix::fs::openat(directory, LOCK_FILE, flags, NEW_SHARED_FILE_MODE)
        .map_err(failed("open the lock file", &shown))?;
    match flock(&file) {
        // No locks at all: such a file system serves one process, whose one thread makes changes.
        Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(file),
        Err(error) => Err(failed("lock", &shown)(error)),
    }
}

fn flock(descriptor: impl AsFd) -> rustix::io::Result<()> {
    rustix::io::retry_on_intr(|| rustix::fs::flock(&descriptor, FlockOperation::LockExclusive))
}
