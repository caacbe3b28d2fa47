//! Sockets and threads: everything between the kernel and a [`Service`].
//!
//! The one idea: no worker ever waits for a client. A connection is a small state machine, parked in the kernel's
//! readiness queue with one deadline; a fixed pool takes what is ready, advances it as far as it goes without waiting,
//! and parks it again.
//!
//! Data flows one way: [`listener`] and [`poller`] bring events, [`table`] owns what is parked, `pool` advances
//! `connection`s, which speak HTTP and hand requests to the service.
//!
//! Lock order: the listener's, the table's; never one within the other.

mod body;
mod connection;
mod deadlines;
pub mod descriptors;
mod discard;
mod exchange;
pub mod listener;
pub mod pace;
mod poller;
mod pool;
mod request;
mod send;
pub mod shutdown;
pub mod table;
mod unacked;

use crate::app::metrics::Metrics;
use crate::clock::Clock;
use crate::http::service::Service;
use connection::Connection;
use exchange::RequestIds;
use listener::Listener;
use poller::Poller;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use table::Table;

/// What is written to the stream given to [`Server::drain`] when the last connection is gone.
pub const DRAINED: u8 = b'D';

/// What workers share.
pub(crate) struct Shared {
    service: Arc<dyn Service>,
    metrics: Arc<Metrics>,
    clock: Clock,
    ids: RequestIds,
    poller: Poller,
    table: Table<Box<Connection>>,
    listener: Listener,
    max_connections: usize,
    /// What parked connections hold.
    parked_bytes: AtomicUsize,
    /// Whether accepting is paused: asked without the listener's lock.
    paused: AtomicBool,
    /// No connection is kept after its answer.
    draining: AtomicBool,
    /// Workers end.
    stopping: AtomicBool,
    drained: Mutex<Option<UnixStream>>,
}

impl Shared {
    /// Tells whoever waits that the last connection is gone; once.
    fn tell_drained(&self) {
        let told = self
            .drained
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut stream) = told {
            // Whoever no longer listens need not be told.
            let _ = stream.write_all(&[DRAINED]);
        }
    }
}

/// How a server runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads of the pool.
    pub workers: usize,
    /// The most connections at a time.
    pub max_connections: usize,
    /// The clock of all deadlines.
    pub clock: Clock,
}

/// A running server.
pub struct Server {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve on a listening socket, as [`listener::bind`] makes it.
    pub fn start(
        socket: OwnedFd,
        service: Arc<dyn Service>,
        metrics: Arc<Metrics>,
        options: Options,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        let shared = Arc::new(Shared {
            service,
            metrics,
            ids: RequestIds::default(),
            listener: Listener::new(socket, &poller)?,
            poller,
            table: Table::new(options.clock.now()),
            max_connections: options.max_connections,
            parked_bytes: AtomicUsize::new(0),
            clock: options.clock,
            paused: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            drained: Mutex::new(None),
        });
        let threads = pool::start(&shared, options.workers)?;
        Ok(Self { shared, threads })
    }

    /// Lets workers look at their deadlines: for tests that move the clock.
    pub fn wake(&self) {
        self.shared.poller.wake();
    }

    /// Whether every connection is parked and none is due: for tests that move the clock.
    pub fn is_quiet(&self) -> bool {
        let now = self.shared.clock.now();
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

    /// Stops accepting, closes idle connections and every other one after its answer; writes [`DRAINED`] to the stream
    /// when the last one is gone.
    pub fn drain(&self, told: UnixStream) {
        let shared = &self.shared;
        *shared
            .drained
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(told);
        shared.listener.stop();
        shared.draining.store(true, Ordering::Release);
        shared.poller.wake();
        if shared.table.open() == 0 {
            shared.tell_drained();
        }
    }
}

impl Drop for Server {
    /// Ends the workers; connections that are still open are closed.
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.poller.wake();
        for thread in self.threads.drain(..) {
            // A worker does not panic; if one did, there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}
