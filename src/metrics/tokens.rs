//! The metrics of tokens.
//!
//! Source: Prometheus, "Metric and label naming".

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How the token of a write was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOutcome {
    Accepted,
    /// There was no token, or it was not sent as one.
    Missing,
    /// It is wrong.
    Refused,
    Expired,
    /// It is accepted and may not do what the request asks.
    Forbidden,
    /// The keys of its issuer cannot be fetched.
    Unavailable,
}

impl TokenOutcome {
    pub(super) const ALL: [(Self, &str); 6] = [
        (Self::Accepted, "accepted"),
        (Self::Missing, "missing"),
        (Self::Refused, "refused"),
        (Self::Expired, "expired"),
        (Self::Forbidden, "forbidden"),
        (Self::Unavailable, "unavailable"),
    ];
}

#[derive(Debug, Default)]
pub struct TokenMetrics {
    pub(super) outcomes: [AtomicU64; TokenOutcome::ALL.len()],
    has_file: AtomicBool,
    has_failed_reload: AtomicBool,
}

impl TokenMetrics {
    pub fn count(&self, outcome: TokenOutcome) {
        self.outcomes[outcome as usize].fetch_add(1, Relaxed);
    }

    /// The files of named tokens are in force as they are.
    pub fn loaded(&self) {
        self.has_file.store(true, Relaxed);
        self.has_failed_reload.store(false, Relaxed);
    }

    /// The files cannot be used, and their last content stays in force.
    pub fn reload_failed(&self) {
        self.has_failed_reload.store(true, Relaxed);
    }

    /// Whether there are files of named tokens.
    pub(super) fn has_file(&self) -> bool {
        self.has_file.load(Relaxed)
    }

    pub fn is_last_reload_successful(&self) -> bool {
        !self.has_failed_reload.load(Relaxed)
    }
}
