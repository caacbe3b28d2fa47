//! A connection's socket: bytes in, bytes out, and those that it has taken.
//!
//! Invariants: no call here waits: a socket with nothing to read or no room to write says so; every
//! byte that the socket takes is counted.
//!
//! Sources: recv(2), send(2), sendfile(2); tcp(7), `MSG_MORE`.

use super::sock_diag::{Queues, SockDiag};
use crate::limits::{SEND_BUFFER_BYTES, UNSENT_BYTES_MAX, UNSENT_BYTES_MIN};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, sockopt};
use socket2::SockRef;
use std::fs::File;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    /// Nothing was left to receive after the last event.
    is_drained: bool,
    /// The last event reported the end of the stream.
    is_ended: bool,
    /// Bytes that it has taken since the connection began.
    sent_bytes: u64,
    /// The most that one call passes to it.
    call_bytes_max: usize,
}

/// What reading the socket gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    Bytes(usize),
    Nothing,
    /// The client closed its sending side, or the connection is broken.
    End,
}

/// What writing to the socket gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    Bytes(usize),
    NoRoom,
    /// The client is gone.
    Gone,
    /// A fault of the disk or of the system, not of the client.
    Failed(Errno),
}

impl Socket {
    pub fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            is_drained: false,
            is_ended: false,
            sent_bytes: 0,
            call_bytes_max: usize::MAX,
        }
    }

    /// Notes that the poller reported the socket.
    pub fn note_event(&mut self, is_ended: bool) {
        self.is_drained = false;
        self.is_ended = is_ended;
    }

    /// Whether nothing was left to receive after the last event, so that the poller reports what
    /// arrives from then on.
    pub fn is_drained(&self) -> bool {
        self.is_drained
    }

    pub fn receive(&mut self, buffer: &mut [u8]) -> Received {
        loop {
            match rustix::net::recv(&self.fd, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => return Received::End,
                Ok((length, _)) => {
                    // The kernel returns less only where no more has arrived.
                    self.is_drained = length < buffer.len() && !self.is_ended;
                    return Received::Bytes(length);
                }
                Err(Errno::AGAIN) => {
                    self.is_drained = true;
                    return Received::Nothing;
                }
                Err(Errno::INTR) => {}
                Err(_) => return Received::End,
            }
        }
    }

    /// The first byte that has arrived and was not received yet.
    pub fn first_byte(&self) -> Option<u8> {
        let mut byte = [0];
        let peeked = rustix::net::recv(&self.fd, &mut byte, RecvFlags::PEEK);
        matches!(peeked, Ok((1.., _))).then_some(byte[0])
    }

    /// Sends bytes; `more` tells the kernel that others follow at once.
    pub fn send(&mut self, bytes: &[u8], more: bool) -> Sent {
        // Held back, the bytes would count as unsent until others follow.
        let flags = if more && !self.is_bounded() {
            SendFlags::NOSIGNAL | SendFlags::MORE
        } else {
            SendFlags::NOSIGNAL
        };
        let bytes = self.first_of(bytes);
        self.count(|fd| rustix::net::send(fd, bytes, flags))
    }

    /// Sends two stretches of bytes in one call.
    pub fn send_both(&mut self, first: &[u8], second: &[u8]) -> Sent {
        let first = self.first_of(first);
        let second = &second[..second.len().min(self.call_bytes_max - first.len())];
        let slices = [IoSlice::new(first), IoSlice::new(second)];
        self.count(|fd| rustix::io::writev(fd, &slices))
    }

    /// Sends a stretch of a file and moves `offset` past it; no bytes where the file ends there.
    pub fn send_file(&mut self, file: &File, offset: &mut u64, length: usize) -> Sent {
        let length = length.min(self.call_bytes_max);
        self.count(|fd| rustix::fs::sendfile(fd, file, Some(offset), length))
    }

    /// Whether unsent data is bounded below the kernel's own bound.
    fn is_bounded(&self) -> bool {
        self.call_bytes_max < usize::MAX
    }

    /// Whether little enough is unsent. A write does not tell: the kernel appends to a packet that
    /// has room, whatever its bound is.
    fn is_writable(&self) -> bool {
        let mut polled = [PollFd::new(&self.fd, PollFlags::OUT)];
        let is_polled = rustix::event::poll(&mut polled, Some(&Timespec::default()));
        is_polled.is_ok() && !polled[0].revents().is_empty()
    }

    fn first_of<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[..bytes.len().min(self.call_bytes_max)]
    }

    fn count(&mut self, mut call: impl FnMut(&OwnedFd) -> rustix::io::Result<usize>) -> Sent {
        if self.is_bounded() && !self.is_writable() {
            return Sent::NoRoom;
        }
        loop {
            match call(&self.fd) {
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

    /// What the kernel holds for it; `None` where the kernel does not report that.
    pub fn queues(&self, diagnostics: &SockDiag) -> Option<Queues> {
        diagnostics.queues(&self.fd)
    }

    /// Keeps the send buffer small, so that a slow client makes the socket writable often.
    pub fn bound_send_buffer(&self) {
        // Where that fails, slow clients are noticed later.
        let _ = sockopt::set_socket_send_buffer_size(&self.fd, SEND_BUFFER_BYTES);
    }

    /// Keeps the bytes that the network has not taken within a share. The kernel has a bound that
    /// one call may exceed; below `UNSENT_BYTES_MAX` that call is bounded, too.
    pub fn bound_unsent(&mut self, share_bytes: usize) {
        let (kernel_bytes, call_bytes_max) = if share_bytes < UNSENT_BYTES_MAX as usize {
            (1, share_bytes.max(UNSENT_BYTES_MIN))
        } else {
            (UNSENT_BYTES_MAX, usize::MAX)
        };
        let was_bounded = self.is_bounded();
        if was_bounded != (call_bytes_max < usize::MAX) {
            // Where that fails, the client's own buffer bounds it.
            let _ = SockRef::from(&self.fd).set_tcp_notsent_lowat(kernel_bytes);
        }
        self.call_bytes_max = call_bytes_max;
    }

    /// Makes closing a reset, which drops what the client has not taken.
    pub fn reset_on_close(&self) {
        // Where that fails, the kernel tries for some time to send it.
        let _ = sockopt::set_socket_linger(&self.fd, Some(Duration::ZERO));
    }

    /// Ends the sending side; whether the connection was still there.
    pub fn shut_sending(&mut self) -> bool {
        rustix::net::shutdown(&self.fd, Shutdown::Write).is_ok()
    }

    /// This server's host and port on this connection.
    pub fn own_address(&self) -> Option<SocketAddr> {
        let address = rustix::net::getsockname(&self.fd).ok()?;
        let address = SocketAddr::try_from(address).ok()?;
        Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
