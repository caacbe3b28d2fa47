//! The queue of changes: every publish and delete of this process goes through it.
//!
//! Data flows one way: a request enters the queue; a sync thread makes an upload's bytes durable,
//! as many at a time as there are uploads, within a limit; the change thread takes all changes that
//! are ready, makes them as one group under the directory's lock, and sends the answers. So the
//! thread that enters a request never waits.
//!
//! Invariants:
//! - The change thread alone holds the directory's lock in this process.
//! - The queue is bounded, in changes and in the bytes of their uploads; beyond it a change is
//!   refused at once. An upload of any size enters an empty queue.
//! - A change waits at most [`LOCK_WAIT_MAX`] for the lock of another process. The wait for other
//!   changes of this process is bounded by the queue alone.
//! - Every request gets exactly one answer, also after a panic.

use super::group::{self, Parts};
use super::lock::{DirLock, LockKeeper};
use super::ready::ReadyChange;
use super::synced_upload::SyncedUpload;
use crate::clock::Clock;
use crate::limits::{
    LOCK_WAIT_MAX, QUEUED_BYTES_MAX, QUEUED_CHANGES_MAX, SYNC_THREADS_MAX, WORKER_STACK_BYTES,
};
use crate::storage::change::{Delete, Publish};
use crate::storage::error::{Result, StorageError};
use crate::storage::upload::CompleteUpload;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Instant;

/// Work under the lock that is not a change of a package.
type Task = Box<dyn FnOnce(Result<&DirLock>) + Send>;

/// The queue and its threads, which end when this is dropped.
#[derive(Debug)]
pub struct ChangeQueue(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// There is an upload to sync.
    unsynced: Condvar,
    /// There is a change to make.
    ready: Condvar,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

#[derive(Default)]
struct State {
    unsynced: VecDeque<(Publish, CompleteUpload)>,
    ready: VecDeque<Ready>,
    /// Changes without an answer, wherever they are.
    changes: usize,
    /// Bytes of their uploads.
    bytes: u64,
    sync_threads: usize,
    /// Sync threads that wait for an upload.
    idle_sync_threads: usize,
    is_ended: bool,
}

struct Ready {
    work: Work,
    since: Instant,
}

enum Work {
    /// With the bytes of its upload.
    Change(Box<ReadyChange>, u64),
    Task(Task),
}

/// The receiver of an answer runs on this thread; its panic must not end the thread.
fn guarded(run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        log::error!("a change was not answered as it should have been");
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a change in, unless the queue is full.
    fn admit(&self, bytes: u64) -> Result<()> {
        let mut state = self.state();
        state.check_room(bytes)?;
        state.changes += 1;
        state.bytes += bytes;
        Ok(())
    }

    /// Counts changes out: their answers follow.
    fn settle(&self, changes: usize, bytes: u64) {
        let mut state = self.state();
        state.changes -= changes;
        state.bytes -= bytes;
    }

    fn add_ready(&self, work: Work) {
        let since = Clock::system().now();
        self.state().ready.push_back(Ready { work, since });
        self.ready.notify_one();
    }

    /// Waits until `take` gives something; `None` when the queue has ended.
    fn next<T>(&self, changed: &Condvar, take: impl Fn(&mut State) -> Option<T>) -> Option<T> {
        let mut state = self.state();
        loop {
            if state.is_ended {
                return None;
            }
            if let Some(taken) = take(&mut state) {
                return Some(taken);
            }
            state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn sync_uploads(&self) {
        let first = |state: &mut State| {
            let first = state.unsynced.pop_front()?;
            state.idle_sync_threads -= 1;
            Some(first)
        };
        loop {
            self.state().idle_sync_threads += 1;
            let Some((publish, upload)) = self.next(&self.unsynced, first) else {
                return;
            };
            let bytes = upload.size;
            match SyncedUpload::sync(upload) {
                Ok(upload) => {
                    let change = ReadyChange::Publish(publish, upload);
                    self.add_ready(Work::Change(Box::new(change), bytes));
                }
                Err(error) => {
                    self.settle(1, bytes);
                    guarded(|| (publish.done)(Err(error)));
                }
            }
        }
    }

    fn make_changes(&self, parts: &Parts, mut keeper: LockKeeper) {
        let clock = Clock::system();
        let first = |state: &mut State| state.ready.front().map(|first| first.since);
        let mut waiting_since = None;
        while let Some(since) = self.next(&self.ready, first) {
            let now = clock.now();
            let waiting_from = *waiting_since.get_or_insert(now);
            let deadline = since.max(waiting_from) + LOCK_WAIT_MAX;
            match keeper.acquire(deadline.saturating_duration_since(now)) {
                Ok(lock) => {
                    waiting_since = None;
                    self.make_group(parts, lock);
                }
                Err(StorageError::Busy) => {
                    let latest = clock.now().checked_sub(LOCK_WAIT_MAX);
                    let is_late = |ready: &Ready| {
                        latest.is_some_and(|latest| ready.since.max(waiting_from) <= latest)
                    };
                    self.refuse_while(is_late, &StorageError::Busy);
                }
                Err(error) => {
                    waiting_since = None;
                    self.refuse_while(|_| true, &error);
                }
            }
        }
    }

    /// Refuses the first of the ready changes, as long as the condition holds for them.
    fn refuse_while(&self, condition: impl Fn(&Ready) -> bool, error: &StorageError) {
        loop {
            let first = self.state().ready.pop_front_if(|first| condition(first));
            match first.map(|first| first.work) {
                None => return,
                Some(Work::Task(task)) => guarded(|| task(Err(error.clone()))),
                Some(Work::Change(change, bytes)) => {
                    self.settle(1, bytes);
                    guarded(|| change.refuse(error.clone()).send());
                }
            }
        }
    }

    fn make_group(&self, parts: &Parts, lock: DirLock) {
        let ready = std::mem::take(&mut self.state().ready);
        let (mut changes, mut bytes, mut tasks) = (Vec::new(), 0, Vec::new());
        for ready in ready {
            match ready.work {
                Work::Change(change, change_bytes) => {
                    changes.push(*change);
                    bytes += change_bytes;
                }
                Work::Task(task) => tasks.push(task),
            }
        }
        let (count, mut answers) = (changes.len(), Vec::new());
        guarded(|| answers = group::make(parts, &lock, changes));
        for task in tasks {
            guarded(|| task(Ok(&lock)));
        }
        drop(lock);
        self.settle(count, bytes);
        for answer in answers {
            guarded(|| answer.send());
        }
    }
}

impl State {
    fn check_room(&self, bytes: u64) -> Result<()> {
        let is_over = self.bytes.saturating_add(bytes) > QUEUED_BYTES_MAX;
        if self.changes >= QUEUED_CHANGES_MAX || (self.changes > 0 && is_over) {
            return Err(StorageError::QueueFull);
        }
        Ok(())
    }
}

impl ChangeQueue {
    /// Starts the threads for the directory at `path`.
    pub fn start(path: &Path, parts: Parts) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            unsynced: Condvar::new(),
            ready: Condvar::new(),
        });
        // Made first: dropped after an error, it ends the threads that run already.
        let queue = Self(Arc::clone(&shared));
        let keeper = LockKeeper::start(path)?;
        let changer = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("changes".to_owned())
            .spawn(move || changer.make_changes(&parts, keeper))?;
        queue.start_sync_thread()?;
        Ok(queue)
    }

    fn start_sync_thread(&self) -> std::io::Result<()> {
        let number = {
            let mut state = self.0.state();
            state.sync_threads += 1;
            state.sync_threads - 1
        };
        let syncer = Arc::clone(&self.0);
        let started = std::thread::Builder::new()
            .name(format!("sync-{number}"))
            .stack_size(WORKER_STACK_BYTES)
            .spawn(move || syncer.sync_uploads());
        started
            .map(drop)
            .inspect_err(|_| self.0.state().sync_threads -= 1)
    }

    /// Whether a change with an upload of so many bytes would be refused now.
    pub fn check_room(&self, bytes: u64) -> Result<()> {
        self.0.state().check_room(bytes)
    }

    pub fn publish(&self, publish: Publish, upload: CompleteUpload) {
        if let Err(error) = self.0.admit(upload.size) {
            return (publish.done)(Err(error));
        }
        let wants_thread = {
            let mut state = self.0.state();
            state.unsynced.push_back((publish, upload));
            state.unsynced.len() > state.idle_sync_threads && state.sync_threads < SYNC_THREADS_MAX
        };
        self.0.unsynced.notify_one();
        if wants_thread && let Err(error) = self.start_sync_thread() {
            log::warn!(error:% = error; "uploads are synced by fewer threads");
        }
    }

    pub fn delete(&self, delete: Delete) {
        if let Err(error) = self.0.admit(0) {
            return (delete.done)(Err(error));
        }
        let change = Box::new(ReadyChange::Delete(delete));
        self.0.add_ready(Work::Change(change, 0));
    }

    /// Runs a task under the lock, after the changes that are ready, and waits for it.
    pub fn run_locked<T: Send + 'static>(
        &self,
        task: impl FnOnce(&DirLock) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = mpsc::channel();
        let task = move |lock: Result<&DirLock>| {
            // The receiver waits below.
            let _ = sender.send(lock.and_then(task));
        };
        self.0.add_ready(Work::Task(Box::new(task)));
        receiver.recv().unwrap_or(Err(StorageError::Busy))
    }
}

impl Drop for ChangeQueue {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_ended = true;
        // Without an answer each receiver is dropped, and so are tasks that somebody waits for.
        state.ready.clear();
        state.unsynced.clear();
        self.0.unsynced.notify_all();
        self.0.ready.notify_all();
    }
}
