//! What the workers and the handle of a server share.

use super::backlog::Backlog;
use super::connection::Connection;
use super::context::Environment;
use super::listener::Listener;
use super::poller::Poller;
use super::relief::Relief;
use super::table::Table;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

/// The byte that reports that the last connection is closed.
pub const DRAINED: u8 = b'D';

pub struct Shared {
    pub env: Environment,
    pub poller: Poller,
    pub backlog: Backlog,
    pub relief: Relief,
    pub table: Table<Box<Connection>>,
    pub listeners: Vec<Listener>,
    /// Whether accepting is paused: read without the listener's lock.
    pub paused: AtomicBool,
    /// Workers end.
    pub stopping: AtomicBool,
    /// Where to report that the last connection is closed.
    pub drained: Mutex<Option<UnixStream>>,
}

impl Shared {
    /// The listener whose events have this token.
    pub fn listener(&self, token: u64) -> Option<&Listener> {
        self.listeners
            .iter()
            .find(|listener| listener.token() == token)
    }

    /// Reports once that the last connection is closed.
    pub fn report_drained(&self) {
        let stream = self
            .drained
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut stream) = stream {
            // The receiver may have ended its wait.
            let _ = stream.write_all(&[DRAINED]);
        }
    }
}
