//! One connection's socket: receiving, sending, closing, and the bytes counted on the way.
//!
//! Invariants:
//! - No call here waits: a socket with nothing to read or no room to write says so.
//! - Every byte of an answer that the socket takes is counted in `sent_bytes`.
//! - Received bytes that no phase has used yet are kept in `inbox`, and the next phase begins
//!   with them.
//!
//! Sources: recv(2), send(2), sendfile(2); tcp(7), `MSG_MORE`.

use super::unacked::unacked_bytes;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use std::fs::File;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

#[derive(Debug)]
pub struct Wire {
    socket: OwnedFd,
    /// The client's address, as the log writes it.
    peer: Arc<str>,
    inbox: Vec<u8>,
    /// Bytes that the socket has taken since the connection began.
    sent_bytes: u64,
}

/// What reading the socket gave.
pub enum Received {
    Bytes(usize),
    Nothing,
    /// The client closed its sending side, or the connection is broken.
    End,
}

/// What writing to the socket gave.
pub enum Sent {
    Bytes(usize),
    NoRoom,
    /// The client is gone.
    Gone,
    /// A fault of the disk or of the system, not of the client.
    Failed(Errno),
}

impl Wire {
    pub fn new(socket: OwnedFd, peer: SocketAddr) -> Self {
        Self {
            socket,
            peer: peer.to_string().into(),
            inbox: Vec::new(),
            sent_bytes: 0,
        }
    }

    pub fn peer(&self) -> &Arc<str> {
        &self.peer
    }

    /// Received bytes that no phase has used yet.
    pub fn inbox(&self) -> &[u8] {
        &self.inbox
    }

    pub fn take_inbox(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.inbox)
    }

    pub fn set_inbox(&mut self, bytes: Vec<u8>) {
        self.inbox = bytes;
    }

    /// Memory of the inbox, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.inbox.capacity()
    }

    pub fn receive(&self, buffer: &mut [u8]) -> Received {
        loop {
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => return Received::End,
                Ok((length, _)) => return Received::Bytes(length),
                Err(Errno::AGAIN) => return Received::Nothing,
                Err(Errno::INTR) => {}
                Err(_) => return Received::End,
            }
        }
    }

    /// Whether bytes have arrived that were not received yet.
    pub fn has_arrived(&self) -> bool {
        let peeked = rustix::net::recv(&self.socket, &mut [0], RecvFlags::PEEK);
        matches!(peeked, Ok((1.., _)))
    }

    /// Sends bytes; `more` tells the kernel that others follow at once.
    pub fn send(&mut self, bytes: &[u8], more: bool) -> Sent {
        let flags = if more {
            SendFlags::NOSIGNAL | SendFlags::MORE
        } else {
            SendFlags::NOSIGNAL
        };
        self.count(|socket| rustix::net::send(socket, bytes, flags))
    }

    /// Sends two stretches of bytes in one call.
    pub fn send_both(&mut self, first: &[u8], second: &[u8]) -> Sent {
        let slices = [IoSlice::new(first), IoSlice::new(second)];
        self.count(|socket| rustix::io::writev(socket, &slices))
    }

    /// Sends a stretch of a file and moves `offset` past it; no bytes where the file ends there.
    pub fn send_file(&mut self, file: &File, offset: &mut u64, length: usize) -> Sent {
        self.count(|socket| rustix::fs::sendfile(socket, file, Some(offset), length))
    }

    fn count(&mut self, mut call: impl FnMut(&OwnedFd) -> rustix::io::Result<usize>) -> Sent {
        loop {
            match call(&self.socket) {
                Ok(length) => {
                    self.sent_bytes += length as u64;
                    return Sent::Bytes(length);
                }
                Err(Errno::AGAIN) => return Sent::NoRoom,
                Err(Errno::INTR) => {}
                Err(
                    Errno::PIPE
                    | Errno::CONNRESET
                    | Errno::TIMEDOUT
                    | Errno::HOSTUNREACH
                    | Errno::NETUNREACH,
                ) => return Sent::Gone,
                Err(error) => return Sent::Failed(error),
            }
        }
    }

    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Sent bytes that the client's side has not acknowledged; `None` where the kernel does not
    /// report them.
    pub fn unacked_bytes(&self) -> Option<u64> {
        unacked_bytes(&self.socket)
    }

    /// Ends the sending side; whether the connection was still there.
    pub fn shut_sending(&mut self) -> bool {
        rustix::net::shutdown(&self.socket, Shutdown::Write).is_ok()
    }

    /// This server's host and port on this connection, for an HTTP/1.0 request that names none.
    pub fn own_address(&self) -> String {
        rustix::net::getsockname(&self.socket)
            .ok()
            .and_then(|address| SocketAddr::try_from(address).ok())
            .map_or_else(
                || "localhost".to_owned(),
                |address| SocketAddr::new(address.ip().to_canonical(), address.port()).to_string(),
            )
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
