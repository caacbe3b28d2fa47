//! The metrics of TLS. They are shown only where the server speaks it.
//!
//! Source: Prometheus, "Metric and label naming".

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    Full,
    /// With the keys of an earlier session.
    Resumed,
    /// The client left, sent what is not TLS, or found nothing in common.
    Failed,
}

impl Handshake {
    pub(super) const ALL: [(Self, &str); 3] = [
        (Self::Full, "full"),
        (Self::Resumed, "resumed"),
        (Self::Failed, "failed"),
    ];
}

#[derive(Debug, Default)]
pub struct TlsMetrics {
    pub(super) handshakes: [AtomicU64; Handshake::ALL.len()],
    /// In seconds since 1970; 0 without TLS.
    expiry: AtomicU64,
    has_failed_reload: AtomicBool,
}

impl TlsMetrics {
    pub fn handshake(&self, handshake: Handshake) {
        self.handshakes[handshake as usize].fetch_add(1, Relaxed);
    }

    /// A pair whose certificate is valid until `expiry` is in force, as its files have it.
    pub fn loaded(&self, expiry: SystemTime) {
        let since = expiry.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expiry.store(since.as_secs().max(1), Relaxed);
        self.has_failed_reload.store(false, Relaxed);
    }

    /// The files hold no usable pair, and the last one stays in force.
    pub fn reload_failed(&self) {
        self.has_failed_reload.store(true, Relaxed);
    }

    /// When the certificate in force expires, in seconds since 1970; `None` without TLS.
    pub(super) fn expiry(&self) -> Option<u64> {
        Some(self.expiry.load(Relaxed)).filter(|expiry| *expiry > 0)
    }

    pub(super) fn is_last_reload_successful(&self) -> bool {
        !self.has_failed_reload.load(Relaxed)
    }
}
