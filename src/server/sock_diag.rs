//! What the kernel holds for a socket: sent bytes that the client's side has not acknowledged, and
//! memory of received bytes that nobody has read.
//!
//! A socket turns writable only when a third of its send buffer is free, and that buffer grows to
//! megabytes: an honest client at 32 KiB/s looks stalled for a minute. The kernel reports the exact
//! count over netlink (the `SIOCOUTQ` ioctl would need `unsafe`): one request and one answer for
//! exactly this socket, asked only for an answer that has waited for seconds.
//!
//! Invariants: the count is the kernel's, or `None`; it is never guessed. A system without the
//! diagnostics is asked once.
//!
//! Sources: `sock_diag(7)`; `linux/netlink.h` (`nlmsghdr`); `linux/inet_diag.h`
//! (`inet_diag_req_v2`, `inet_diag_msg`, whose `idiag_wqueue` counts from the first unacknowledged
//! byte to the last written one; `INET_DIAG_SKMEMINFO`); `linux/sock_diag.h` (`SK_MEMINFO_*`).

use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// `SOCK_DIAG_BY_FAMILY`, the type of both messages.
const MESSAGE_TYPE: u16 = 20;
/// `NLM_F_REQUEST`.
const FLAG_REQUEST: u16 = 1;
/// `NLMSG_ERROR`; the negated error number is after the header.
const ERROR_TYPE: u16 = 2;
/// `MAX_ERRNO`: no other number is an error.
const ERROR_NUMBER_MAX: i32 = 4095;
const TYPE_OFFSET: usize = 4;
const HEADER_BYTES: usize = 16;
const REQUEST_BYTES: usize = HEADER_BYTES + 56;
/// `idiag_wqueue` is after the header, 4 bytes, the socket's id of 48 bytes, `idiag_expires` and
/// `idiag_rqueue`.
const WQUEUE_OFFSET: usize = HEADER_BYTES + 4 + 48 + 8;
/// The attributes are after the message.
const ATTRIBUTES_OFFSET: usize = HEADER_BYTES + 72;
const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// `INET_DIAG_SKMEMINFO`, whose first number is `SK_MEMINFO_RMEM_ALLOC`.
const MEMORY_ATTRIBUTE: u16 = 7;
const IPPROTO_TCP: u8 = 6;

/// What the kernel holds for a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues {
    pub unacked_bytes: u64,
    /// Memory of received data, which is more than its bytes.
    pub received_memory_bytes: usize,
}

impl Queues {
    /// The acknowledged ones of so many sent bytes.
    pub fn acknowledged_bytes(self, sent_bytes: u64) -> u64 {
        sent_bytes.saturating_sub(self.unacked_bytes)
    }
}

/// The kernel's socket diagnostics, and whether this system has them.
#[derive(Debug)]
pub struct SockDiag {
    unsupported: AtomicBool,
}

impl SockDiag {
    /// The diagnostics of this system, if it lets this process ask for them.
    pub fn system() -> Self {
        let diagnostics = Self {
            unsupported: AtomicBool::new(false),
        };
        if let Err(error) = open() {
            diagnostics.note(error);
        }
        diagnostics
    }

    /// The diagnostics of a system that has none. For tests.
    pub fn unsupported() -> Self {
        Self {
            unsupported: AtomicBool::new(true),
        }
    }

    pub fn is_unsupported(&self) -> bool {
        self.unsupported.load(Ordering::Relaxed)
    }

    /// The queues of a TCP connection; `None` where the kernel does not report them.
    pub fn queues(&self, socket: impl AsFd) -> Option<Queues> {
        if self.is_unsupported() {
            return None;
        }
        let (local, peer) = ends(&socket)?;
        match ask(local, peer) {
            Ok(queues) => Some(queues),
            // The kernel has no such connection: because it ended just now, or because it has no
            // diagnostics for TCP.
            Err(Errno::NOENT) if ends(&socket).is_none() => None,
            Err(error) => {
                self.note(error);
                None
            }
        }
    }

    /// Remembers an error that every later request would meet, too.
    fn note(&self, error: Errno) {
        let passing = matches!(
            error,
            Errno::AGAIN | Errno::INTR | Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM
        );
        if !passing && !self.unsupported.swap(true, Ordering::Relaxed) {
            log::info!(
                error:% = error;
                "the kernel does not report acknowledged bytes: slow clients are noticed later"
            );
        }
    }
}

/// Both addresses of a connection; `None` where it has ended.
fn ends(socket: impl AsFd) -> Option<(SocketAddr, SocketAddr)> {
    let local = SocketAddr::try_from(rustix::net::getsockname(&socket).ok()?).ok()?;
    let peer = SocketAddr::try_from(rustix::net::getpeername(&socket).ok()??).ok()?;
    Some((local, peer))
}

fn open() -> rustix::io::Result<OwnedFd> {
    rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(netlink::SOCK_DIAG),
    )
}

fn ask(local: SocketAddr, peer: SocketAddr) -> rustix::io::Result<Queues> {
    let kernel = open()?;
    let address = SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&kernel, &request(local, peer), SendFlags::empty(), &address)?;
    let mut answer = [0u8; 512];
    // The kernel answers before `sendto` returns.
    let (length, _) = rustix::net::recv(&kernel, &mut answer, RecvFlags::empty())?;
    queues(&answer[..length])
}

fn request(local: SocketAddr, peer: SocketAddr) -> [u8; REQUEST_BYTES] {
    let mut message = [0; REQUEST_BYTES];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        message[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    let length = u32::try_from(REQUEST_BYTES).unwrap_or_default();
    put(&length.to_ne_bytes());
    put(&MESSAGE_TYPE.to_ne_bytes());
    put(&FLAG_REQUEST.to_ne_bytes());
    put(&[0; 8]); // sequence number and port id
    let family = match local {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    put(&[u8::try_from(family.as_raw()).unwrap_or_default()]);
    put(&[IPPROTO_TCP, 1 << (MEMORY_ATTRIBUTE - 1), 0]);
    put(&u32::MAX.to_ne_bytes()); // any state
    put(&local.port().to_be_bytes());
    put(&peer.port().to_be_bytes());
    put(&address_words(local.ip()));
    put(&address_words(peer.ip()));
    put(&[0; 4]); // any interface
    put(&[0xff; 8]); // INET_DIAG_NOCOOKIE
    message
}

/// An address as four words in network order, IPv4 in the first.
fn address_words(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let mut words = [0; 16];
            words[..4].copy_from_slice(&address.octets());
            words
        }
    }
}

/// The queues in an answer, or the error that the answer is.
pub fn queues(answer: &[u8]) -> rustix::io::Result<Queues> {
    let message_type: [u8; 2] = bytes_at(answer, TYPE_OFFSET)?;
    match u16::from_ne_bytes(message_type) {
        MESSAGE_TYPE => {
            let unacked = u32::from_ne_bytes(bytes_at(answer, WQUEUE_OFFSET)?);
            let received = received_memory(answer.get(ATTRIBUTES_OFFSET..).unwrap_or_default());
            Ok(Queues {
                unacked_bytes: u64::from(unacked),
                received_memory_bytes: received.map_or(0, |bytes| bytes as usize),
            })
        }
        ERROR_TYPE => {
            let negated = i32::from_ne_bytes(bytes_at(answer, HEADER_BYTES)?);
            let is_number = (-ERROR_NUMBER_MAX..0).contains(&negated);
            Err(if is_number {
                Errno::from_raw_os_error(-negated)
            } else {
                Errno::PROTO
            })
        }
        _ => Err(Errno::PROTO),
    }
}

fn received_memory(mut attributes: &[u8]) -> Option<u32> {
    loop {
        let length = usize::from(u16::from_ne_bytes(bytes_at(attributes, 0).ok()?));
        let kind = u16::from_ne_bytes(bytes_at(attributes, 2).ok()?);
        if kind == MEMORY_ATTRIBUTE {
            let bytes = bytes_at(attributes, ATTRIBUTE_HEADER_BYTES).ok()?;
            return Some(u32::from_ne_bytes(bytes));
        }
        let padded = length.max(ATTRIBUTE_HEADER_BYTES).next_multiple_of(4);
        attributes = attributes.get(padded..)?;
    }
}

fn bytes_at<const LENGTH: usize>(answer: &[u8], at: usize) -> rustix::io::Result<[u8; LENGTH]> {
    let bytes = answer.get(at..at + LENGTH).ok_or(Errno::PROTO)?;
    bytes.try_into().map_err(|_| Errno::PROTO)
}
