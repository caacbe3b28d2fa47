//! Whether a transfer is fast enough to keep its connection.
//!
//! Invariants: progress is bytes that the other side has sent or acknowledged, never time or
//! readiness; a transfer that keeps [`PACE_BYTES_PER_SECOND_MIN`] is never ended.
//!
//! Source: docs/contract.md, section 7.

use crate::limits::{PACE_BYTES_PER_SECOND_MIN, PACE_WINDOW, STALL_TIME_MAX};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub struct Pace {
    progress: u64,
    progressed_at: Instant,
    window_began: Instant,
    window_progress: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// No progress for too long.
    Stalled,
    /// Too slow on average.
    Slow,
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

    /// Notes the count of bytes. `stall_time_max` is [`STALL_TIME_MAX`], or more where progress is
    /// not known exactly.
    pub fn observe(&mut self, now: Instant, progress: u64, stall_time_max: Duration) -> Verdict {
        if progress > self.progress {
            self.progress = progress;
            self.progressed_at = now;
        }
        if now.saturating_duration_since(self.progressed_at) >= stall_time_max {
            return Verdict::Stalled;
        }
        let window = now.saturating_duration_since(self.window_began);
        if window >= PACE_WINDOW {
            let least = window.as_secs().saturating_mul(PACE_BYTES_PER_SECOND_MIN);
            if progress.saturating_sub(self.window_progress) < least {
                return Verdict::Slow;
            }
            self.window_began = now;
            self.window_progress = progress;
        }
        Verdict::Fine
    }

    /// When the transfer is stalled unless there is progress before.
    pub fn stalled_at(&self) -> Instant {
        self.progressed_at + STALL_TIME_MAX
    }
}
