//! The server without its application, in this process, on a clock that the test moves by hand.
//!
//! For what cannot be awaited in real time (deadlines of a minute) and for what the real application never does (panics).

use crate::support::sock_diag::queues;
use crate::support::{Connection, until};
use bytes::Bytes;
use release_server::app::error::ApiError;
use release_server::clock::Clock;
use release_server::config::Address;
use release_server::http::response::Response;
use release_server::http::service::{
    BodySink, Channel, Decision, Refusal, Reply, Request, Service,
};
use release_server::metrics::Metrics;
use release_server::server::listener::Entrance;
use release_server::server::{Options, Server, listener};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// Bytes of the answer to `/big`: more than any socket buffer holds.
pub const BIG_BYTES: usize = 64 << 20;

/// One for all tests: copies of it would weigh more than all that they look for.
static BIG: LazyLock<Bytes> = LazyLock::new(|| vec![b'x'; BIG_BYTES].into());

/// Answers `OK`; `/big` with a lot; `/wait` once the gate is open; `PUT` counts its body; `/panic/…` panics where the path says.
#[derive(Default)]
pub struct Stub {
    received: Arc<AtomicU64>,
    gate: Arc<Mutex<()>>,
}

struct Counting {
    received: Arc<AtomicU64>,
    panic_at: Option<&'static str>,
}

impl Service for Stub {
    fn respond(&self, request: &Request<'_>) -> Decision {
        let counting = |panic_at| {
            Reply::Body(Box::new(Counting {
                received: Arc::clone(&self.received),
                panic_at,
            }))
        };
        let reply = match request.target.path {
            "/panic" => panic!("in respond"),
            "/panic/feed" => counting(Some("in feed")),
            "/panic/finish" => counting(Some("in finish")),
            "/wait" => {
                drop(self.gate.lock());
                Reply::Now(Response::new(200).body("text/plain", "OK"))
            }
            "/count" => counting(None),
            "/big" => Reply::Now(Response::new(200).body("text/plain", BIG.clone())),
            _ => Reply::Now(Response::new(200).body("text/plain", "OK")),
        };
        Decision { route: "/", reply }
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

    fn finish(self: Box<Self>) -> Response {
        assert_ne!(self.panic_at, Some("in finish"));
        Response::new(200).body("text/plain", "OK")
    }
}

/// A running server.
pub struct InProcess {
    pub server: Server,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// While it is locked, the worker that has come to `/wait` waits.
    pub gate: Arc<Mutex<()>>,
    received: Arc<AtomicU64>,
    address: SocketAddr,
}

impl InProcess {
    /// A server with one worker, so that what happens happens in order.
    pub fn start(max_connections: usize) -> Self {
        let host = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (socket, address) = listener::bind(Address { host, port: 0 }).unwrap();
        let clock = Clock::manual();
        let metrics = Arc::new(Metrics::new([]));
        let stub = Stub::default();
        let received = Arc::clone(&stub.received);
        let gate = Arc::clone(&stub.gate);
        let options = Options {
            workers: 1,
            max_connections,
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
            gate,
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

    /// Moves the clock, and waits until the server has dealt with all that is due.
    pub fn advance(&self, by: Duration) {
        self.wait_until_quiet();
        self.clock.advance(by);
        self.server.wake();
        self.wait_until_quiet();
    }

    pub fn wait_until_quiet(&self) {
        until(|| self.server.is_quiet().then_some(()));
    }

    /// Whether so many bytes of bodies have been counted, and all is quiet.
    pub fn has_received(&self, bytes: u64) -> bool {
        self.received.load(Ordering::SeqCst) >= bytes && self.server.is_quiet()
    }

    /// Waits until so many connections are in the middle of something.
    pub fn wait_until_active(&self, connections: usize) {
        until(|| (self.server.active() == connections).then_some(()));
    }

    /// Waits until so many bytes of bodies have been counted.
    pub fn wait_until_received(&self, bytes: u64) {
        until(|| self.has_received(bytes).then_some(()));
    }

    /// Waits until so many connections are open.
    pub fn wait_until_open(&self, connections: usize) {
        until(|| (self.server.connections() == connections).then_some(()));
    }
}

/// Waits until the kernel has moved all that it can between both ends, which takes real time: until nothing has changed
/// in so many looks, some 5 ms apart.
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
