//! The server without its application, in this process, on a manual clock.
//!

use crate::support::sock_diag::queues;
use crate::support::{Connection, until};
use bytes::Bytes;
use release_server::app::error::ApiError;
use release_server::clock::Clock;
use release_server::config::Address;
use release_server::disk_gate::DiskGate;
use release_server::http::response::Response;
use release_server::http::service::{
    BodySink, Channel, Completion, Decision, Refusal, Reply, Request, Service,
};
use release_server::metrics::Metrics;
use release_server::server::listener::Entrance;
use release_server::server::memory_limit::MemoryLimit;
use release_server::server::sock_diag::SockDiag;
use release_server::server::{Options, Server, listener};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// How long a connection between requests is kept.
pub const IDLE_TIME_MAX: Duration = Duration::from_mins(1);

/// Bytes of the answer to `/big`: more than any socket buffer holds.
pub const BIG_BYTES: usize = 64 << 20;

/// Shared by all tests: copies would dominate the memory that they measure.
static BIG: LazyLock<Bytes> = LazyLock::new(|| vec![b'x'; BIG_BYTES].into());

/// Answers `OK`; `/big` with [`BIG_BYTES`]; `/wait` once the gate is open; `PUT` counts its body;
/// `/later` and, after its body, `/later/body` once the test completes them; `/disk` 200 or, where
/// the disk refuses it, 503; `/panic/…` panics in the named step.
pub struct Stub {
    disk: Arc<DiskGate>,
    received: Arc<AtomicU64>,
    gate: Arc<Mutex<()>>,
    pending: Pending,
}

/// The requests to `/later` that the test has not answered yet, in order.
pub type Pending = Arc<Mutex<Vec<Completion>>>;

struct Counting {
    received: Arc<AtomicU64>,
    later: Option<Reply>,
    panic_at: Option<&'static str>,
}

impl Service for Stub {
    fn respond(&self, request: &Request<'_>) -> Decision {
        let counting = |panic_at, later| {
            Reply::Body(Box::new(Counting {
                received: Arc::clone(&self.received),
                later,
                panic_at,
            }))
        };
        let pending = Arc::clone(&self.pending);
        let later = Reply::Later(Box::new(move |completion| {
            pending.lock().unwrap().push(completion);
        }));
        let reply = match request.target.path {
            "/panic" => panic!("in respond"),
            "/panic/feed" => counting(Some("in feed"), None),
            "/panic/finish" => counting(Some("in finish"), None),
            "/wait" => {
                drop(self.gate.lock());
                Reply::Now(Response::new(200).body("text/plain", "OK"))
            }
            "/disk" => {
                let status = self.disk.enter_or_put_off().map_or(503, |_inside| 200);
                Reply::Now(Response::new(status).body("text/plain", "OK"))
            }
            "/count" => counting(None, None),
            "/later" => later,
            "/later/now" => Reply::Later(Box::new(|completion: Completion| {
                completion.complete(Response::new(200).body("text/plain", "now"));
            })),
            "/later/body" => counting(None, Some(later)),
            "/panic/later" => Reply::Later(Box::new(|_| panic!("in later"))),
            "/big" => Reply::Now(Response::new(200).body("text/plain", BIG.clone())),
            _ => Reply::Now(Response::new(200).body("text/plain", "OK")),
        };
        Decision {
            route: "/",
            token: None,
            reply,
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        ApiError::from(refusal).into_response()
    }
}

impl BodySink for Counting {
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response> {
        assert_ne!(self.panic_at, Some("in feed"));
        self.received
            .fetch_add(bytes.len() as u64, Ordering::SeqCst);
        ControlFlow::Continue(())
    }

    fn finish(self: Box<Self>) -> Reply {
        assert_ne!(self.panic_at, Some("in finish"));
        if let Some(later) = self.later {
            return later;
        }
        Reply::Now(Response::new(200).body("text/plain", "OK"))
    }
}

pub struct InProcess {
    pub server: Server,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub disk: Arc<DiskGate>,
    /// While it is locked, the worker that serves `/wait` waits.
    pub gate: Arc<Mutex<()>>,
    pub pending: Pending,
    received: Arc<AtomicU64>,
    address: SocketAddr,
}

impl InProcess {
    /// A server with one worker, so that events are handled in order.
    pub fn start(max_connections: usize) -> Self {
        Self::with(max_connections, 1, SockDiag::system())
    }

    pub fn with(max_connections: usize, workers: usize, sock_diag: SockDiag) -> Self {
        let memory_limit = MemoryLimit::of(None);
        Self::within(memory_limit, max_connections, workers, sock_diag)
    }

    /// A server under a memory limit.
    pub fn within(
        memory_limit: MemoryLimit,
        max_connections: usize,
        workers: usize,
        sock_diag: SockDiag,
    ) -> Self {
        let host = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (socket, address) = listener::bind(Address { host, port: 0 }).unwrap();
        let clock = Clock::manual();
        let metrics = Arc::new(Metrics::new([]));
        let disk = Arc::new(DiskGate::new(workers, clock.clone()));
        let stub = Stub {
            disk: Arc::clone(&disk),
            received: Arc::default(),
            gate: Arc::default(),
            pending: Arc::default(),
        };
        let received = Arc::clone(&stub.received);
        let gate = Arc::clone(&stub.gate);
        let pending = Arc::clone(&stub.pending);
        let options = Options {
            workers,
            max_connections,
            trust_forwarded: false,
            idle_time_max: IDLE_TIME_MAX,
            sock_diag,
            memory_limit,
            disk: Arc::clone(&disk),
            clock: clock.clone(),
            tls: None,
        };
        let entrance = Entrance {
            socket,
            channel: Channel::Clear,
        };
        let server = Server::start(
            vec![entrance],
            Arc::new(stub),
            Arc::clone(&metrics),
            options,
        )
        .unwrap();
        Self {
            server,
            clock,
            metrics,
            disk,
            gate,
            pending,
            received,
            address,
        }
    }

    pub fn connect(&self) -> Connection {
        Connection::new(TcpStream::connect(self.address).unwrap())
    }

    /// Connects, and waits until the connection is accepted.
    pub fn connect_and_wait(&self) -> Connection {
        let accepted = &self.metrics.connections_accepted;
        let before = accepted.load(Ordering::SeqCst);
        let connection = self.connect();
        until(|| (accepted.load(Ordering::SeqCst) > before).then_some(()));
        connection
    }

    /// Advances the clock, and waits until the server has handled all deadlines that passed.
    pub fn advance(&self, by: Duration) {
        self.wait_until_quiet();
        self.clock.advance(by);
        self.server.wake();
        self.wait_until_quiet();
    }

    pub fn wait_until_quiet(&self) {
        until(|| self.server.is_quiet().then_some(()));
    }

    /// Whether this many bytes of bodies have been counted and the server is quiet.
    pub fn has_received(&self, bytes: u64) -> bool {
        self.received.load(Ordering::SeqCst) >= bytes && self.server.is_quiet()
    }

    /// Waits until this many connections are in the middle of a request.
    pub fn wait_until_active(&self, connections: usize) {
        until(|| (self.server.active() == connections).then_some(()));
    }

    /// Waits for the next request to `/later`; the test answers it.
    pub fn next_pending(&self) -> Completion {
        until(|| {
            let mut pending = self.pending.lock().unwrap();
            (!pending.is_empty()).then(|| pending.remove(0))
        })
    }

    /// Waits until this many bytes of bodies have been counted.
    pub fn wait_until_received(&self, bytes: u64) {
        until(|| self.has_received(bytes).then_some(()));
    }

    /// Waits until this many connections are open.
    pub fn wait_until_open(&self, connections: usize) {
        until(|| (self.server.connections() == connections).then_some(()));
    }
}

/// Waits until the kernel has moved all that it can between both ends, which takes real time: until
/// the queues are equal in this many looks, some 5 ms apart.
pub fn wait_until_still(connection: &Connection, looks: usize) {
    let ends = (
        connection.stream.local_addr(),
        connection.stream.peer_addr(),
    );
    let (Ok(SocketAddr::V4(own)), Ok(SocketAddr::V4(other))) = ends else {
        return;
    };
    let (mut before, mut same) = (None, 0);
    until(|| {
        let now = Some((queues(own, other), queues(other, own)));
        same = if now == before { same + 1 } else { 0 };
        before = now;
        (same == looks).then_some(())
    });
}
