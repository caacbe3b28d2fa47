//! The metrics of an object store. They are shown only where packages live in one.
//!
//! Source: Prometheus, "Metric and label naming".

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A request to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    List,
    Head,
    Get,
    Put,
    Delete,
    /// For credentials, to another server than the store.
    Credentials,
}

impl Operation {
    pub(super) const ALL: [(Self, &str); 6] = [
        (Self::List, "list"),
        (Self::Head, "head"),
        (Self::Get, "get"),
        (Self::Put, "put"),
        (Self::Delete, "delete"),
        (Self::Credentials, "credentials"),
    ];

    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, also where a condition did not hold or the object is missing.
    Answered,
    /// 401 or 403.
    Refused,
    /// 409 or 429.
    Throttled,
    /// 5xx, or any other answer that is no success.
    Failed,
    /// No answer.
    Unreachable,
}

impl Outcome {
    pub(super) const ALL: [(Self, &str); 5] = [
        (Self::Answered, "answered"),
        (Self::Refused, "refused"),
        (Self::Throttled, "throttled"),
        (Self::Failed, "failed"),
        (Self::Unreachable, "unreachable"),
    ];
}

/// Upper bounds of the latency histogram, with the texts they are written as.
pub(super) const LATENCIES: [(Duration, &str); 7] = [
    (Duration::from_millis(10), "0.01"),
    (Duration::from_millis(50), "0.05"),
    (Duration::from_millis(200), "0.2"),
    (Duration::from_secs(1), "1"),
    (Duration::from_secs(5), "5"),
    (Duration::from_secs(30), "30"),
    (Duration::MAX, "+Inf"),
];

#[derive(Debug, Default)]
pub struct StoreMetrics {
    is_shown: AtomicBool,
    pub(super) requests: [[AtomicU64; Outcome::ALL.len()]; Operation::ALL.len()],
    pub(super) latency_buckets: [AtomicU64; LATENCIES.len()],
    pub(super) latency_microseconds: AtomicU64,
    /// Requests that were sent again after one that failed.
    pub retries: AtomicU64,
    /// Bytes of objects received from the store.
    pub received_bytes: AtomicU64,
    /// Downloads of packages that were on the local disk, and of others.
    pub cache_hits: AtomicU64,
    pub cache_misses: AtomicU64,
    /// Bytes of packages on the local disk.
    pub cached_bytes: AtomicU64,
    /// When the listing was last known to be current, in seconds since 1970; 0 before that.
    pub listing_seconds: AtomicU64,
    /// Bytes of objects sent to the store.
    pub sent_bytes: AtomicU64,
}

impl StoreMetrics {
    /// Packages live in a store.
    pub fn show(&self) {
        self.is_shown.store(true, Relaxed);
    }

    pub(super) fn is_shown(&self) -> bool {
        self.is_shown.load(Relaxed)
    }

    /// Counts a request; `duration` is the time to the head of its response.
    pub fn finished(&self, operation: Operation, outcome: Outcome, duration: Duration) {
        self.requests[operation as usize][outcome as usize].fetch_add(1, Relaxed);
        let bucket = LATENCIES.iter().position(|(bound, _)| duration <= *bound);
        self.latency_buckets[bucket.unwrap_or(LATENCIES.len() - 1)].fetch_add(1, Relaxed);
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.latency_microseconds.fetch_add(microseconds, Relaxed);
    }
}
