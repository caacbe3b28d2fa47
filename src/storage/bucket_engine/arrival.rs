//! One package on its way from the bucket: how far it is, and who waits for it.
//!
//! Invariant: the last byte is not handed on before all are compared with the checksum, so a client
//! whose download is complete has the right bytes.

use crate::awaited::{Arriving, Awaited};
use crate::storage::error::StorageError;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// One fetch and the file that it fills.
#[derive(Debug)]
pub struct Fetch {
    /// Set before the first byte arrives.
    file: OnceLock<File>,
    /// In bytes.
    pub size: u64,
    state: Mutex<FetchState>,
}

#[derive(Debug)]
struct FetchState {
    progress: Progress,
    /// Who waits for more than so many bytes.
    waiting: Vec<(u64, Waker)>,
}

#[derive(Clone, Debug)]
pub enum Progress {
    /// The store has not answered.
    Starting,
    /// So many bytes are in the file.
    Receiving(u64),
    /// All of them, and they are right.
    Complete,
    Failed(StorageError, Instant),
}

impl Fetch {
    /// A fetch of so many bytes.
    pub fn new(size: u64) -> Self {
        let (progress, waiting) = (Progress::Starting, Vec::new());
        Self {
            file: OnceLock::new(),
            size,
            state: Mutex::new(FetchState { progress, waiting }),
        }
    }

    /// Sets the file that is filled, and returns it.
    pub fn fill(&self, file: File) -> &File {
        self.file.get_or_init(|| file)
    }

    pub fn progress(&self) -> Progress {
        self.state().progress.clone()
    }

    fn state(&self) -> MutexGuard<'_, FetchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how far the fetch is, and wakes those who wait for that.
    pub fn advance(&self, progress: Progress) {
        let mut state = self.state();
        state.progress = progress;
        let arrived = self.readable(&state.progress);
        let is_due = |waits: &mut (u64, Waker)| arrived.is_none_or(|arrived| arrived > waits.0);
        let due: Vec<_> = state.waiting.extract_if(.., is_due).collect();
        drop(state);
        for (_, waker) in due {
            waker.wake();
        }
    }

    /// Bytes that may be handed on.
    fn readable(&self, progress: &Progress) -> Option<u64> {
        match progress {
            Progress::Starting => Some(0),
            Progress::Receiving(received) => Some((*received).min(self.size.saturating_sub(1))),
            Progress::Complete => Some(self.size),
            Progress::Failed(..) => None,
        }
    }
}

impl Arriving for Fetch {
    fn file(&self) -> Option<&File> {
        self.file.get()
    }

    fn arrived(&self) -> Option<u64> {
        self.readable(&self.state().progress)
    }

    fn wake(&self, bytes: u64, waker: Waker) {
        let mut state = self.state();
        if self
            .readable(&state.progress)
            .is_some_and(|arrived| arrived <= bytes)
        {
            state.waiting.push((bytes, waker));
        } else {
            drop(state);
            waker.wake();
        }
    }
}

/// Waits for the store's answer.
#[derive(Debug)]
pub struct Answered(pub Arc<Fetch>);

impl Awaited for Answered {
    fn wake(&self, waker: Waker) {
        let mut state = self.0.state();
        if matches!(state.progress, Progress::Starting) {
            state.waiting.push((0, waker));
        } else {
            drop(state);
            waker.wake();
        }
    }
}

/// Waits for all bytes.
#[derive(Debug)]
pub struct Whole(pub Arc<Fetch>);

impl Awaited for Whole {
    fn wake(&self, waker: Waker) {
        Arriving::wake(&*self.0, self.0.size.saturating_sub(1), waker);
    }
}
