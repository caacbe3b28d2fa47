//! Accepting connections.
//!
//! Invariants: accepting never ends and never spins: where there is no room or the system has run
//! out of descriptors or memory, accepting is paused, for a reason and until a set moment; one
//! worker accepts at a time, as the listener is armed for one event like every socket.
//!
//! Sources: accept(2), "Error handling"; tcp(7): options set on the listener are inherited.

use super::poller::{Interest, Poller};
use crate::config::Address;
use crate::http::service::Channel;
use crate::limits::{ACCEPT_PAUSE, BACKLOG_CONNECTIONS, UNSENT_BYTES_MAX};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use socket2::SockRef;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The token of the first listener; the others count down from it. Connections, completions and the
/// wake-up have others.
const FIRST_TOKEN: u64 = u64::MAX - 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// All of `max_connections` are open, and none is idle.
    Full,
    /// The system is out of descriptors or memory.
    Resources(Errno),
}

#[derive(Debug)]
enum Accepting {
    On(Arc<OwnedFd>),
    /// Until this moment, or until a connection is closed.
    Paused(Arc<OwnedFd>, Instant),
    Stopped,
}

/// A listening socket, and whether it is accepted from.
#[derive(Debug)]
pub struct Listener {
    accepting: Mutex<Accepting>,
    token: u64,
    pub channel: Channel,
}

/// A listening socket, as [`bind`] makes it, and how it is spoken on.
#[derive(Debug)]
pub struct Entrance {
    pub socket: OwnedFd,
    pub channel: Channel,
}

#[derive(Debug)]
pub enum Accepted {
    /// A non-blocking socket, and the client's address.
    Connection(OwnedFd, SocketAddr),
    /// No connection is waiting.
    None,
    /// The client left before its connection was accepted.
    Gone,
    /// The system is out of descriptors or memory.
    Exhausted(Errno),
}

/// Listens on an address; without a host, on every address, IPv6 included where the system has it.
pub fn bind(address: Address) -> io::Result<(OwnedFd, SocketAddr)> {
    match address.host {
        Some(host) => listen(SocketAddr::new(host, address.port)),
        None => listen(SocketAddr::new(
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            address.port,
        ))
        .or_else(|error| match Errno::from_io_error(&error) {
            Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => listen(SocketAddr::new(
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                address.port,
            )),
            _ => Err(error),
        }),
    }
}

fn listen(address: SocketAddr) -> io::Result<(OwnedFd, SocketAddr)> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    if address.is_ipv6() {
        // `::` accepts IPv4 as well, whatever the system's default is.
        sockopt::set_ipv6_v6only(&socket, false)?;
    }
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG_CONNECTIONS)?;
    let bound = SocketAddr::try_from(rustix::net::getsockname(&socket)?)?;
    Ok((socket, bound))
}

/// Bounds what the sockets that are accepted from this one hold unsent.
pub fn bound_unsent(listener: &OwnedFd) {
    // Where that fails, as on a Unix socket, nothing is bounded.
    let _ = SockRef::from(listener).set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
}

impl Listener {
    /// Begins to accept; each listener of a server has a number.
    pub fn new(entrance: Entrance, number: u64, poller: &Poller) -> io::Result<Self> {
        let Entrance { socket, channel } = entrance;
        let token = FIRST_TOKEN - number;
        poller.add(&socket, token, Interest::Accept)?;
        Ok(Self {
            accepting: Mutex::new(Accepting::On(Arc::new(socket))),
            token,
            channel,
        })
    }

    /// The token of its events.
    pub fn token(&self) -> u64 {
        self.token
    }

    fn lock(&self) -> MutexGuard<'_, Accepting> {
        self.accepting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket to accept from; no system call is made on it under the lock, which another worker
    /// wants as soon as it is armed.
    fn socket(&self) -> Option<Arc<OwnedFd>> {
        match &*self.lock() {
            Accepting::On(socket) => Some(Arc::clone(socket)),
            _ => None,
        }
    }

    /// Accepts one connection, if one is waiting.
    pub fn accept(&self) -> Accepted {
        let Some(socket) = self.socket() else {
            return Accepted::None;
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        match rustix::net::acceptfrom_with(socket, flags) {
            Ok((socket, peer)) => {
                let unknown = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
                let peer = peer
                    .and_then(|peer| SocketAddr::try_from(peer).ok())
                    .unwrap_or(unknown);
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                Accepted::Connection(socket, peer)
            }
            Err(Errno::AGAIN) => Accepted::None,
            Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                Accepted::Exhausted(error)
            }
            Err(_) => Accepted::Gone,
        }
    }

    /// Arms the listener for the next connection.
    pub fn arm(&self, poller: &Poller) {
        if let Some(socket) = self.socket() {
            self.arm_socket(&socket, poller);
        }
    }

    /// Stops accepting for `ACCEPT_PAUSE`.
    pub fn pause(&self, reason: PauseReason, now: Instant) {
        let mut accepting = self.lock();
        if let Accepting::On(socket) = std::mem::replace(&mut *accepting, Accepting::Stopped) {
            log::warn!(reason:? = reason; "accepting is paused");
            *accepting = Accepting::Paused(socket, now + ACCEPT_PAUSE);
        }
    }

    /// When the pause ends by itself; `None` where accepting is not paused.
    pub fn resumes_at(&self) -> Option<Instant> {
        match &*self.lock() {
            Accepting::Paused(_, until) => Some(*until),
            _ => None,
        }
    }

    /// Ends a pause.
    pub fn resume(&self, poller: &Poller) {
        let mut accepting = self.lock();
        match std::mem::replace(&mut *accepting, Accepting::Stopped) {
            Accepting::Paused(socket, _) => {
                self.arm_socket(&socket, poller);
                *accepting = Accepting::On(socket);
            }
            other => *accepting = other,
        }
    }

    /// Stops listening for good: the system refuses new connections from now on.
    pub fn stop(&self) {
        *self.lock() = Accepting::Stopped;
    }

    fn arm_socket(&self, socket: &OwnedFd, poller: &Poller) {
        if let Err(error) = poller.arm(socket, self.token, Interest::Accept) {
            log::error!(error:% = error; "the listener cannot be armed");
        }
    }
}
