//! The client's progress with an answer that it does not take at once.
//!
//! Invariant: progress is what the client's side has acknowledged, as far as the kernel reports it.

use super::context::Context;
use super::pace::Pace;
use super::wire::Wire;
use crate::limits::STALL_TIME_MAX;
use crate::metrics::CloseReason;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Progress {
    pace: Pace,
    pub check_at: Instant,
    /// The kernel's memory for what the client has sent ahead, when it was last asked.
    pub received_memory_bytes: usize,
}

impl Progress {
    pub fn new(wire: &Wire, cx: &Context<'_>) -> Self {
        let (taken_bytes, received_memory_bytes) = asked(wire, cx);
        let pace = Pace::new(cx.now(), taken_bytes);
        let check_at = pace.check_at(cx.now(), stall_time_max(cx));
        Self {
            pace,
            check_at,
            received_memory_bytes,
        }
    }

    pub fn observe(&mut self, wire: &Wire, cx: &Context<'_>) -> Result<(), CloseReason> {
        let stall_time_max = stall_time_max(cx);
        let (taken_bytes, received_memory_bytes) = asked(wire, cx);
        self.received_memory_bytes = received_memory_bytes;
        self.pace.observe(cx.now(), taken_bytes, stall_time_max)?;
        self.check_at = self.pace.check_at(cx.now(), stall_time_max);
        Ok(())
    }
}

/// Bytes that the client's side has acknowledged, or, where the kernel does not report them, that
/// the socket has taken; and the kernel's memory for received bytes.
fn asked(wire: &Wire, cx: &Context<'_>) -> (u64, usize) {
    let sent_bytes = wire.sent_bytes();
    wire.queues(&cx.env.sock_diag)
        .map_or((sent_bytes, 0), |queues| {
            let acknowledged = queues.acknowledged_bytes(sent_bytes);
            (acknowledged, queues.received_memory_bytes)
        })
}

fn stall_time_max(cx: &Context<'_>) -> Duration {
    // An honest client may take this long to make the socket writable, however many others wait.
    if cx.env.sock_diag.is_unsupported() {
        return STALL_TIME_MAX;
    }
    cx.stall_time_max()
}
