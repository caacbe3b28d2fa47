//! The output of the log: lines that wait for it, and the thread that writes them.
//!
//! Invariants: only the log's own thread waits for the reader of the output. While nothing reads,
//! lines are held up to a bound, then counted and dropped, and the count is logged.

use crate::limits::{LOG_BACKLOG_BYTES_MAX, LOG_DELAY_MAX, LOG_FLUSH_TIME_MAX, LOG_WRITE_BYTES};
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

pub static OUTPUT: OnceLock<Arc<Output>> = OnceLock::new();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    /// Time, level, message and fields, for people.
    Text,
}

/// Lines dropped so far because the output was not read.
pub fn dropped_lines() -> u64 {
    OUTPUT.get().map_or(0, |output| output.lock().dropped_total)
}

/// Waits until everything logged so far is written, at most for `LOG_FLUSH_TIME_MAX`. Called at the
/// end of the process.
pub fn flush() {
    if let Some(output) = OUTPUT.get() {
        output.flush();
    }
}

#[derive(Debug)]
pub struct Output {
    pub format: Format,
    held: Mutex<Held>,
    filled: Condvar,
    written: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    lines: Vec<u8>,
    /// Lines dropped since the last report.
    dropped: u64,
    dropped_total: u64,
    /// A line in `lines` must be written at once.
    urgent: bool,
    /// Lines taken out of `lines` are being written.
    writing: bool,
}

impl Output {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            held: Mutex::default(),
            filled: Condvar::new(),
            written: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line. One that is not urgent waits for others.
    pub fn add(&self, line: &[u8], urgent: bool) {
        let mut held = self.lock();
        if held.lines.len() + line.len() > LOG_BACKLOG_BYTES_MAX {
            held.dropped += 1;
            held.dropped_total += 1;
            return;
        }
        let before_bytes = held.lines.len();
        held.lines.extend_from_slice(line);
        held.urgent |= urgent;
        // Once at the first line and once when they are many: each notice is a system call.
        let is_crossed = (before_bytes..held.lines.len()).contains(&LOG_WRITE_BYTES);
        let notify = before_bytes == 0 || urgent || is_crossed;
        drop(held);
        if notify {
            self.filled.notify_one();
        }
    }

    /// The loop of the log's own thread.
    pub fn run(&self, out: &mut dyn Write) {
        let mut lines = Vec::new();
        loop {
            let held = self.lock();
            let held = self
                .filled
                .wait_while(held, |held| held.lines.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let may_wait = |held: &mut Held| !held.urgent && held.lines.len() < LOG_WRITE_BYTES;
            let (mut held, _) = self
                .filled
                .wait_timeout_while(held, LOG_DELAY_MAX, may_wait)
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut lines, &mut held.lines);
            let dropped = std::mem::take(&mut held.dropped);
            held.urgent = false;
            held.writing = true;
            drop(held);
            // There is nowhere to report that the log cannot be written.
            let _ = out.write_all(&lines).and_then(|()| out.flush());
            lines.clear();
            self.lock().writing = false;
            self.written.notify_all();
            if dropped > 0 {
                log::warn!(count = dropped; "log lines dropped: nothing read the output");
            }
        }
    }

    fn flush(&self) {
        let mut held = self.lock();
        held.urgent = true;
        self.filled.notify_one();
        let unwritten = |held: &mut Held| held.writing || !held.lines.is_empty();
        let _ = self
            .written
            .wait_timeout_while(held, LOG_FLUSH_TIME_MAX, unwritten);
    }
}
