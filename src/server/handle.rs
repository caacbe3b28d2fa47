//! Starting a server, shutting it down, and asking for its state.

use super::backlog::Backlog;
use super::completions::Completions;
use super::context::{Environment, Tls};
use super::listener::{self, Entrance, Listener};
use super::memory_limit::MemoryLimit;
use super::poller::Poller;
use super::pool::Worker;
use super::relief::Relief;
use super::request_id::RequestIds;
use super::shared::Shared;
use super::sock_diag::SockDiag;
use super::table::Table;
use crate::clock::Clock;
use crate::disk_gate::DiskGate;
use crate::http::service::Service;
use crate::limits::WORKER_STACK_BYTES;
use crate::metrics::Metrics;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

#[derive(Debug)]
pub struct Options {
    /// Threads of the pool.
    pub workers: usize,
    pub max_connections: usize,
    /// The peer is a proxy whose `X-Forwarded-For` names the client for the log.
    pub trust_forwarded: bool,
    /// How long a connection between requests is kept.
    pub idle_time_max: Duration,
    pub sock_diag: SockDiag,
    pub memory_limit: MemoryLimit,
    /// The bound on workers that wait for the disk.
    pub disk: Arc<DiskGate>,
    /// The clock of all deadlines.
    pub clock: Clock,
    /// For entrances that speak TLS.
    pub tls: Option<Tls>,
}

/// A running server. Dropping it ends its workers and closes its connections.
pub struct Server {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    pub fn start(
        entrances: Vec<Entrance>,
        service: Arc<dyn Service>,
        metrics: Arc<Metrics>,
        options: Options,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        let listeners = (0..)
            .zip(entrances)
            .map(|(number, entrance)| {
                if options.memory_limit.bytes().is_some() {
                    listener::bound_unsent(&entrance.socket);
                }
                Listener::new(entrance, number, &poller)
            })
            .collect::<io::Result<_>>()?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            listeners,
            table: Table::new(options.clock.now()),
            env: Environment {
                service,
                metrics,
                clock: options.clock,
                trust_forwarded: options.trust_forwarded,
                request_ids: RequestIds::default(),
                tls: options.tls,
                completions: Arc::new(Completions::new(&poller)?),
                sock_diag: options.sock_diag,
                memory_limit: options.memory_limit,
                disk: options.disk,
                idle_time_max: options.idle_time_max,
                open_connections: AtomicUsize::new(0),
                max_connections: options.max_connections,
                draining: AtomicBool::new(false),
            },
            poller,
            backlog: Backlog::default(),
            relief: Relief::new(options.workers, processors),
            paused: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            drained: Mutex::new(None),
        });
        let threads = start_threads(&shared, options.workers)?;
        Ok(Self { shared, threads })
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.shared.env.clock
    }

    /// A worker whose turns the caller gives: for the simulation, which starts no threads.
    pub fn worker(&self) -> Worker<'_> {
        Worker::new(&self.shared)
    }

    /// Makes the workers look at their deadlines: for tests that move the clock.
    pub fn wake(&self) {
        self.shared.poller.wake();
    }

    /// Whether every connection is parked and none is due: for tests that move the clock.
    pub fn is_quiet(&self) -> bool {
        let now = self.shared.env.clock.now();
        let due = self
            .shared
            .table
            .earliest()
            .is_some_and(|deadline| deadline <= now);
        !due && self.shared.table.held() == 0
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.shared.table.open()
    }

    /// Connections in the middle of a request: for tests that move the clock.
    pub fn active(&self) -> usize {
        self.shared.table.active()
    }

    /// Stops accepting, closes idle connections, and every other one after its answer. Writes
    /// [`super::DRAINED`] to the stream when the last one is closed.
    pub fn drain(&self, report: UnixStream) {
        let shared = &self.shared;
        *shared
            .drained
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(report);
        for listener in &shared.listeners {
            listener.stop();
        }
        shared.env.draining.store(true, Ordering::Release);
        shared.poller.wake();
        if shared.table.open() == 0 {
            shared.report_drained();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.poller.wake();
        self.shared.relief.stop();
        for thread in self.threads.drain(..) {
            // A worker does not panic; if one did, there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}

/// Starts the workers, and the thread that relieves them.
fn start_threads(shared: &Arc<Shared>, workers: usize) -> io::Result<Vec<JoinHandle<()>>> {
    (0..=workers)
        .map(|number| {
            let shared = Arc::clone(shared);
            let is_worker = number < workers;
            let name = if is_worker {
                format!("worker-{number}")
            } else {
                "relief".to_owned()
            };
            std::thread::Builder::new()
                .name(name)
                .stack_size(WORKER_STACK_BYTES)
                .spawn(move || {
                    if is_worker {
                        Worker::new(&shared).run(number);
                    } else {
                        shared.relief.run(|| shared.env.completions.signal());
                    }
                })
        })
        .collect()
}
