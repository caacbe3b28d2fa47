//! Numbers for Prometheus.
//!
//! Invariant: counting is one atomic addition each, without locks, so that it never stands in the way; the text is made
//! when it is asked for.
//!
//! Source: the Prometheus exposition formats, "Text-based format"; its naming practices.

mod text;

use crate::app::router::Endpoint;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the latency histogram, with the texts they are written as.
const BUCKETS: [(Duration, &str); 9] = [
    (Duration::from_millis(1), "0.001"),
    (Duration::from_millis(5), "0.005"),
    (Duration::from_millis(25), "0.025"),
    (Duration::from_millis(100), "0.1"),
    (Duration::from_millis(500), "0.5"),
    (Duration::from_millis(2500), "2.5"),
    (Duration::from_secs(10), "10"),
    (Duration::from_mins(1), "60"),
    (Duration::MAX, "+Inf"),
];

/// The label of requests that no endpoint took.
pub const NO_ROUTE: &str = "none";

/// Endpoints, and one for none of them.
const ROUTES: usize = Endpoint::ALL.len() + 1;

/// Why a connection was closed by this side before its client was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Idle for too long.
    Idle,
    /// The head took too long.
    Head,
    /// No progress for too long.
    Stalled,
    /// Too slow on average.
    Slow,
    /// Closed for another connection, as the longest idle one.
    Evicted,
    /// It would have held more while it waits than there is room for.
    Memory,
}

impl CloseReason {
    const ALL: [(Self, &str); 6] = [
        (Self::Idle, "idle"),
        (Self::Head, "head"),
        (Self::Stalled, "stalled"),
        (Self::Slow, "slow"),
        (Self::Evicted, "evicted"),
        (Self::Memory, "memory"),
    ];

    /// The word for it in metrics and logs.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(reason, _)| *reason == self)
            .map_or("", |(_, word)| word)
    }
}

/// What an open connection is at, as of its last turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Between requests.
    Idle,
    /// In the middle of a head.
    Head,
    /// In the middle of a body.
    Body,
    /// Taking its answer.
    Answer,
    /// About to be closed, or having the rest of a body read over.
    Leaving,
}

impl Activity {
    const ALL: [(Self, &str); 5] = [
        (Self::Idle, "idle"),
        (Self::Head, "head"),
        (Self::Body, "body"),
        (Self::Answer, "answer"),
        (Self::Leaving, "leaving"),
    ];
}

/// Why uploads are refused, by the status that says so. Others are counted under the last word.
const REFUSALS: [(u16, &str); 13] = [
    (400, "malformed"),
    (401, "unauthorized"),
    (408, "timeout"),
    (409, "exists"),
    (411, "length_required"),
    (413, "too_large"),
    (415, "not_a_form"),
    (422, "not_understood"),
    (499, "client_left"),
    (500, "storage_failed"),
    (503, "storage_busy"),
    (507, "no_space"),
    (0, "other"),
];

/// All counters of a process.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: [[AtomicU64; 5]; ROUTES],
    refusals: [AtomicU64; REFUSALS.len()],
    latency_buckets: [AtomicU64; BUCKETS.len()],
    latency_microseconds: AtomicU64,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    connections: [AtomicU64; Activity::ALL.len()],
    /// Threads of the pool.
    pub workers: AtomicU64,
    /// Threads of the pool that are not waiting for something to do.
    pub workers_busy: AtomicU64,
    /// Connections open now.
    pub connections_open: AtomicU64,
    /// Connections accepted since the start.
    pub connections_accepted: AtomicU64,
    closes: [AtomicU64; CloseReason::ALL.len()],
    /// Handlers that panicked.
    pub panics: AtomicU64,
    /// Packages published.
    pub published: AtomicU64,
    /// Packages deleted on request.
    pub deleted: AtomicU64,
    /// Packages removed by retention.
    pub swept: AtomicU64,
}

/// What is measured of one finished request.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// Whether it was to publish something.
    pub is_upload: bool,
    /// The endpoint's pattern, or [`NO_ROUTE`].
    pub route: &'static str,
    /// The status that was answered.
    pub status: u16,
    /// Bytes of the body that came.
    pub received_bytes: u64,
    /// Bytes of the body that went.
    pub sent_bytes: u64,
    /// From the head's last byte to the answer's last byte.
    pub duration: Duration,
}

/// What the storage says when the numbers are asked for.
#[derive(Clone, Copy, Debug)]
pub struct StorageNumbers {
    /// Packages listed.
    pub packages: usize,
    /// Their bytes.
    pub stored_bytes: u64,
    /// Bytes that can still be written.
    pub free_bytes: u64,
}

impl Metrics {
    /// Counts a finished request.
    pub fn finished(&self, request: Finished) {
        let route = Endpoint::ALL
            .iter()
            .position(|endpoint| endpoint.pattern() == request.route)
            .unwrap_or(ROUTES - 1);
        let class = usize::from(request.status / 100).clamp(1, 5) - 1;
        self.requests[route][class].fetch_add(1, Relaxed);
        if request.is_upload && request.status >= 400 {
            let reason = REFUSALS
                .iter()
                .position(|(status, _)| *status == request.status)
                .unwrap_or(REFUSALS.len() - 1);
            self.refusals[reason].fetch_add(1, Relaxed);
        }
        let bucket = BUCKETS
            .iter()
            .position(|(bound, _)| request.duration <= *bound)
            .unwrap_or(BUCKETS.len() - 1);
        self.latency_buckets[bucket].fetch_add(1, Relaxed);
        let microseconds = u64::try_from(request.duration.as_micros()).unwrap_or(u64::MAX);
        self.latency_microseconds.fetch_add(microseconds, Relaxed);
        self.received_bytes
            .fetch_add(request.received_bytes, Relaxed);
        self.sent_bytes.fetch_add(request.sent_bytes, Relaxed);
    }

    /// A connection goes from one activity to another; `None`: it was not open before, or is not any more.
    pub fn moved(&self, from: Option<Activity>, to: Option<Activity>) {
        if from != to {
            let count = |activity| {
                let place = Activity::ALL
                    .iter()
                    .position(|(known, _)| *known == activity);
                place.map(|at| &self.connections[at])
            };
            from.and_then(count)
                .map(|gauge| gauge.fetch_sub(1, Relaxed));
            to.and_then(count).map(|gauge| gauge.fetch_add(1, Relaxed));
        }
    }

    /// Counts a connection closed by this side.
    pub fn closed(&self, reason: CloseReason) {
        if let Some(at) = CloseReason::ALL
            .iter()
            .position(|(known, _)| *known == reason)
        {
            self.closes[at].fetch_add(1, Relaxed);
        }
    }
}
