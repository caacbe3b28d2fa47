//! What connections need besides their sockets: the service, the clock, the metrics, and the
//! buffers of the worker that advances them.

use super::completions::Completions;
use super::memory_limit::MemoryLimit;
use super::request_id::RequestIds;
use super::secure::Scratch;
use super::sock_diag::SockDiag;
use crate::clock::{self, Clock};
use crate::date;
use crate::disk_gate::DiskGate;
use crate::http::service::Service;
use crate::limits::{CROWDED_STALL_TIME_MAX, RECEIVE_BUFFER_BYTES, STALL_TIME_MAX};
use crate::metrics::Metrics;
use crate::tls::Acceptor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// What connections over TLS have in common.
#[derive(Clone, Debug)]
pub struct Tls {
    pub acceptor: Arc<Acceptor>,
    /// The value of the field of that name in every answer.
    pub strict_transport_security: Option<String>,
}

/// Shared by all connections.
pub struct Environment {
    pub service: Arc<dyn Service>,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub trust_forwarded: bool,
    pub request_ids: RequestIds,
    /// `None` where the server speaks HTTP in clear only.
    pub tls: Option<Tls>,
    pub completions: Arc<Completions>,
    pub sock_diag: SockDiag,
    pub memory_limit: MemoryLimit,
    /// The bound on workers that wait for the disk.
    pub disk: Arc<DiskGate>,
    pub idle_time_max: Duration,
    /// Connections open now, and the most that there may be.
    pub open_connections: AtomicUsize,
    pub max_connections: usize,
    /// The server is shutting down: no connection is kept after its answer.
    pub draining: AtomicBool,
}

/// What a worker lends to the connection that it advances.
pub struct Context<'e> {
    pub env: &'e Environment,
    /// Received bytes; taken out while a phase uses it.
    pub buffer: Vec<u8>,
    /// The spare buffer for heads of answers; taken out while an answer is sent.
    pub out: Vec<u8>,
    /// The buffers for TLS.
    pub scratch: Scratch,
    /// What the connection has done in this turn.
    pub turn: Turn,
    /// When an answer was complete in this turn, unless something was done since that may take
    /// long.
    pub ended_at: Option<Instant>,
    date: (u64, String),
}

/// Work done in this turn. Each kind is bounded, so that other connections get their turns.
#[derive(Default)]
pub struct Turn {
    pub requests: usize,
    pub received_bytes: usize,
    pub sent_bytes: usize,
}

impl<'e> Context<'e> {
    pub fn new(env: &'e Environment) -> Self {
        Self {
            env,
            buffer: vec![0; RECEIVE_BUFFER_BYTES],
            out: Vec::new(),
            scratch: Scratch::default(),
            turn: Turn::default(),
            ended_at: None,
            date: (0, String::new()),
        }
    }

    pub fn now(&self) -> Instant {
        self.env.clock.now()
    }

    /// How long a transfer may pause: less while connections are scarce.
    pub fn stall_time_max(&self) -> Duration {
        let open = self.env.open_connections.load(Ordering::Relaxed);
        if open.saturating_mul(4) >= self.env.max_connections.saturating_mul(3) {
            CROWDED_STALL_TIME_MAX
        } else {
            STALL_TIME_MAX
        }
    }

    /// What a socket may hold unsent, where that is bounded.
    pub fn unsent_share_bytes(&self) -> Option<usize> {
        let open = self.env.open_connections.load(Ordering::Relaxed);
        self.env.memory_limit.unsent_share_bytes(open)
    }

    pub fn is_draining(&self) -> bool {
        self.env.draining.load(Ordering::Relaxed)
    }

    /// The present date as HTTP writes it, formatted once a second.
    pub fn date(&mut self) -> &str {
        let second = clock::wall_now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if self.date.0 != second || self.date.1.is_empty() {
            let time = UNIX_EPOCH + Duration::from_secs(second);
            self.date = (second, date::http(time));
        }
        &self.date.1
    }
}
