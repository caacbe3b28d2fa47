//! What another thread makes while a connection is parked: how to wait for it without a thread.
//!
//! Invariant: a waker that was left is woken once or more, also where what it waits for fails, and
//! never while a lock of its own connection is held.

use std::fmt::Debug;
use std::fs::File;
use std::task::Waker;

/// Something that a request needs and that is not there yet.
pub trait Awaited: Debug + Send + Sync {
    /// Wakes when the request can be tried again; at once where it can be already.
    fn wake(&self, waker: Waker);
}

/// A file that grows until it is complete, and is read meanwhile.
pub trait Arriving: Debug + Send + Sync {
    /// `None` while no byte can be read.
    fn file(&self) -> Option<&File>;

    /// Bytes that can be read, from the file's beginning; `None` where the rest will not arrive.
    fn arrived(&self) -> Option<u64>;

    /// Wakes when more than so many bytes can be read, or none will arrive; at once where that is
    /// so already.
    fn wake(&self, bytes: u64, waker: Waker);
}
