//! Whether a transfer is fast enough to keep its connection.
//!
//! Invariants: progress is bytes that the other side has sent or acknowledged, never time or
//! readiness; a transfer that keeps [`PACE_BYTES_PER_SECOND_MIN`] is never ended.
//!
//! Source: docs/contract.md, section 7.

use crate::limits::{PACE_BYTES_PER_SECOND_MIN, PACE_WINDOW, STALL_CHECK_INTERVAL};
use crate::metrics::CloseReason;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub struct Pace {
    progress: u64,
    progressed_at: Instant,
    window_began: Instant,
    window_progress: u64,
}

impl Pace {
    /// A transfer that begins now, at this count of bytes.
    pub fn new(now: Instant, progress: u64) -> Self {
        Self {
            progress,
            progressed_at: now,
            window_began: now,
            window_progress: progress,
        }
    }

    /// Notes the count of bytes; the reason to end the transfer, if there is one.
    pub fn observe(
        &mut self,
        now: Instant,
        progress: u64,
        stall_time_max: Duration,
    ) -> Result<(), CloseReason> {
        if progress > self.progress {
            self.progress = progress;
            self.progressed_at = now;
        }
        if now.saturating_duration_since(self.progressed_at) >= stall_time_max {
            return Err(CloseReason::Stalled);
        }
        let window = now.saturating_duration_since(self.window_began);
        if window >= PACE_WINDOW {
            let least = window.as_secs().saturating_mul(PACE_BYTES_PER_SECOND_MIN);
            if progress.saturating_sub(self.window_progress) < least {
                return Err(CloseReason::Slow);
            }
            self.window_began = now;
            self.window_progress = progress;
        }
        Ok(())
    }

    /// When to observe the transfer again, event or not. A stall is then noticed in time even where
    /// its limit is lowered meanwhile.
    pub fn check_at(&self, now: Instant, stall_time_max: Duration) -> Instant {
        (now + STALL_CHECK_INTERVAL).min(self.progressed_at + stall_time_max)
    }
}
