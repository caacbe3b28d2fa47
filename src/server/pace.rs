//! Whether a transfer goes on fast enough to be worth its connection.
//!
//! Invariants: progress is bytes that the other side has sent or acknowledged, never time or readiness; a transfer that
//! keeps [`PACE_BYTES_PER_SECOND_MIN`] is never ended.
//!
//! Source: the project's contract, section 7.

use crate::limits::{PACE_BYTES_PER_SECOND_MIN, PACE_WINDOW, STALL_TIME_MAX};
use std::time::{Duration, Instant};

/// The pace of one transfer.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    progress: u64,
    progressed_at: Instant,
    window_began: Instant,
    window_progress: u64,
}

/// What to do about a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let it go on.
    Fine,
    /// Nothing has moved for too long.
    Stalled,
    /// It is too slow on average.
    Slow,
}

impl Pace {
    /// The pace of a transfer that begins now, with so many bytes behind it already.
    pub fn new(now: Instant, progress: u64) -> Self {
        Self {
            progress,
            progressed_at: now,
            window_began: now,
            window_progress: progress,
        }
    }

    /// Takes note of how many bytes have passed. `stall_time_max`: [`STALL_TIME_MAX`], or more where progress cannot be
    /// seen exactly.
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

    /// When the transfer is stalled unless something moves before.
    pub fn stalled_at(&self) -> Instant {
        self.progressed_at + STALL_TIME_MAX
    }
}
