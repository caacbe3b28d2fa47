//! The counters.
//!
//! Invariant: counting is one atomic addition each, without locks, so that it never delays a
//! request.
//!
//! Source: Prometheus, "Metric and label naming".

use super::store::StoreMetrics;
use super::tls::TlsMetrics;
use super::tokens::TokenMetrics;
use crate::clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, UNIX_EPOCH};

/// Upper bounds of the latency histogram, with the texts they are written as.
pub(super) const BUCKETS: [(Duration, &str); 9] = [
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

/// The label of requests that no route matches.
pub const NO_ROUTE: &str = "none";

/// Why the server closed a connection before the client did.
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
    /// Closed in favour of a new connection, as the longest idle one.
    Evicted,
    /// Its parked memory did not fit the shared budget.
    Memory,
    /// The TLS handshake took too long.
    Handshake,
}

impl CloseReason {
    pub(super) const ALL: [(Self, &str); 7] = [
        (Self::Idle, "idle"),
        (Self::Head, "head"),
        (Self::Stalled, "stalled"),
        (Self::Slow, "slow"),
        (Self::Evicted, "evicted"),
        (Self::Memory, "memory"),
        (Self::Handshake, "handshake"),
    ];

    /// The reason as metrics and logs write it.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(reason, _)| *reason == self)
            .map_or("", |(_, word)| word)
    }
}

/// The activity of an open connection, as of its last turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Between requests.
    Idle,
    /// In the middle of a head.
    Head,
    /// In the middle of a body.
    Body,
    /// Waiting for a change in the storage, or for the keys of an issuer.
    Storing,
    /// Receiving its answer.
    Answer,
    /// About to be closed, or sending the rest of a body that is thrown away.
    Leaving,
    /// In the middle of a TLS handshake.
    Handshake,
}

impl Activity {
    pub(super) const ALL: [(Self, &str); 7] = [
        (Self::Idle, "idle"),
        (Self::Head, "head"),
        (Self::Body, "body"),
        (Self::Storing, "storing"),
        (Self::Answer, "answer"),
        (Self::Leaving, "leaving"),
        (Self::Handshake, "handshake"),
    ];
}

/// Why uploads are refused, by status. Other statuses are counted under the last reason.
pub(super) const REFUSALS: [(u16, &str); 14] = [
    (400, "malformed"),
    (401, "unauthorized"),
    (403, "forbidden"),
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

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    /// Requests by route and class of status.
    pub(super) requests: Vec<(&'static str, [AtomicU64; 5])>,
    pub(super) refusals: [AtomicU64; REFUSALS.len()],
    pub(super) latency_buckets: [AtomicU64; BUCKETS.len()],
    pub(super) latency_microseconds: AtomicU64,
    pub(super) received_bytes: AtomicU64,
    pub(super) sent_bytes: AtomicU64,
    pub(super) connections: [AtomicU64; Activity::ALL.len()],
    /// Threads of the pool.
    pub workers: AtomicU64,
    /// Threads of the pool that are not waiting in the poller.
    pub workers_busy: AtomicU64,
    pub connections_open: AtomicU64,
    pub connections_accepted: AtomicU64,
    pub(super) closes: [AtomicU64; CloseReason::ALL.len()],
    /// Handlers that panicked.
    pub panics: AtomicU64,
    pub tls: TlsMetrics,
    pub store: Arc<StoreMetrics>,
    pub tokens: TokenMetrics,
    /// Packages published.
    pub published: AtomicU64,
    /// Packages deleted on request.
    pub deleted: AtomicU64,
    /// Packages removed by retention.
    pub swept: AtomicU64,
    /// The start of the process, in seconds since 1970.
    pub(super) started: f64,
}

/// The measurements of one finished request.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// Whether the request was to publish a package.
    pub is_upload: bool,
    /// One of the routes given to [`Metrics::new`], or [`NO_ROUTE`].
    pub route: &'static str,
    pub status: u16,
    /// Bytes of the request's body.
    pub received_bytes: u64,
    /// Bytes of the answer's body.
    pub sent_bytes: u64,
    /// From the head's last byte to the answer's last byte.
    pub duration: Duration,
}

/// The storage's measurements when the metrics are read.
#[derive(Clone, Copy, Debug)]
pub struct StorageMetrics {
    pub packages: usize,
    pub stored_bytes: u64,
    /// `None` where the file system does not report its space.
    pub free_bytes: Option<u64>,
    /// Entries of spec-kit's catalogs, by kind.
    pub catalog_entries: [(&'static str, u64); 6],
    /// Packages that catalogs leave out, by reason.
    pub catalog_unlisted: [(&'static str, u64); 7],
    pub catalog_unread: u64,
}

impl Metrics {
    /// Metrics for these routes.
    pub fn new(routes: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            requests: routes
                .into_iter()
                .chain([NO_ROUTE])
                .map(|route| (route, <[AtomicU64; 5]>::default()))
                .collect(),
            refusals: Default::default(),
            latency_buckets: Default::default(),
            latency_microseconds: AtomicU64::default(),
            received_bytes: AtomicU64::default(),
            sent_bytes: AtomicU64::default(),
            connections: Default::default(),
            workers: AtomicU64::default(),
            workers_busy: AtomicU64::default(),
            connections_open: AtomicU64::default(),
            connections_accepted: AtomicU64::default(),
            closes: Default::default(),
            panics: AtomicU64::default(),
            tls: TlsMetrics::default(),
            store: Arc::default(),
            tokens: TokenMetrics::default(),
            published: AtomicU64::default(),
            deleted: AtomicU64::default(),
            swept: AtomicU64::default(),
            started: clock::wall_now()
                .duration_since(UNIX_EPOCH)
                .map_or(0.0, |since| since.as_secs_f64()),
        }
    }

    /// Counts a finished request.
    pub fn finished(&self, request: Finished) {
        let class = usize::from(request.status / 100).clamp(1, 5) - 1;
        // A route is nearly always the very text that it was given as.
        let same = |(route, _): &&(&str, _)| std::ptr::eq(*route, request.route);
        let equal = |(route, _): &&(&str, _)| *route == request.route;
        let of_route = self.requests.iter().find(same);
        let of_route = of_route.or_else(|| self.requests.iter().find(equal));
        if let Some((_, classes)) = of_route.or(self.requests.last()) {
            classes[class].fetch_add(1, Relaxed);
        }
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
        if request.received_bytes > 0 {
            self.received_bytes
                .fetch_add(request.received_bytes, Relaxed);
        }
        self.sent_bytes.fetch_add(request.sent_bytes, Relaxed);
    }

    /// Moves a connection from one activity to another; `None` stands for a closed connection.
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

    /// Counts a connection that the server closed.
    pub fn closed(&self, reason: CloseReason) {
        if let Some(at) = CloseReason::ALL
            .iter()
            .position(|(known, _)| *known == reason)
        {
            self.closes[at].fetch_add(1, Relaxed);
        }
    }
}
