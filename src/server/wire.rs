//! One connection's wire: what is received and sent on its socket, in clear or over TLS.
//!
//! Invariants:
//! - No call here waits: a wire with nothing to read or no room to write says so.
//! - Every byte that the socket takes is counted in `sent_bytes`, as the kernel counts those that
//!   are acknowledged.
//! - Received bytes that no phase has used yet are kept in `inbox`, and the next phase begins
//!   with them.
//! - A client that is sent the end of a TLS connection is sent `close_notify` first.

use super::secure::{Scratch, Secure};
use super::sock_diag::{Queues, SockDiag};
use super::socket::{Received, Sent, Socket};
use crate::http::service::Channel;
use crate::limits::{SEAL_TURN_BYTES, SEND_TURN_BYTES};
use crate::tls::{Failed, Session};
use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

#[derive(Debug)]
pub struct Wire {
    socket: Socket,
    /// The client's address, as the log writes it.
    peer: Arc<str>,
    channel: Channel,
    inbox: Vec<u8>,
    /// `None` in clear.
    secure: Option<Box<Secure>>,
}

impl Wire {
    pub fn new(
        socket: OwnedFd,
        peer: SocketAddr,
        channel: Channel,
        session: Option<Session>,
    ) -> Self {
        Self {
            socket: Socket::new(socket),
            peer: peer.to_string().into(),
            channel,
            inbox: Vec::new(),
            secure: session.map(|session| Box::new(Secure::new(session))),
        }
    }

    pub fn peer(&self) -> &Arc<str> {
        &self.peer
    }

    pub fn channel(&self) -> Channel {
        self.channel
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

    /// Memory of the inbox and of incomplete records, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.inbox.capacity() + self.secure.as_ref().map_or(0, |secure| secure.held_bytes())
    }

    /// Receives at most `limit` bytes from the socket; over TLS, the bytes of a record that was
    /// incomplete before may come on top of them.
    pub fn receive(&mut self, buffer: &mut [u8], limit: usize, scratch: &mut Scratch) -> Received {
        match &mut self.secure {
            None => self.socket.receive(&mut buffer[..limit]),
            Some(secure) => secure.receive(&mut self.socket, buffer, limit, scratch),
        }
    }

    /// Notes that the poller reported the socket.
    pub fn note_event(&mut self, is_ended: bool) {
        self.socket.note_event(is_ended);
    }

    /// Whether nothing was left to receive after the last event.
    pub fn is_drained(&self) -> bool {
        self.socket.is_drained()
    }

    /// Whether bytes have arrived that were not received yet.
    pub fn has_arrived(&self) -> bool {
        self.first_byte().is_some()
    }

    /// The first byte on the socket, which stays there.
    pub fn first_byte(&self) -> Option<u8> {
        self.socket.first_byte()
    }

    /// Sends bytes; `more` tells the kernel that others follow at once.
    pub fn send(&mut self, bytes: &[u8], more: bool, scratch: &mut Scratch) -> Sent {
        match &mut self.secure {
            None => self.socket.send(bytes, more),
            Some(secure) => secure.send(&mut self.socket, bytes, &[], scratch),
        }
    }

    /// Sends two stretches of bytes in one call.
    pub fn send_both(&mut self, first: &[u8], second: &[u8], scratch: &mut Scratch) -> Sent {
        match &mut self.secure {
            None => self.socket.send_both(first, second),
            Some(secure) => secure.send(&mut self.socket, first, second, scratch),
        }
    }

    /// Sends a head and a stretch of a file after it, and moves `offset` past what was sent of the
    /// file; no bytes where there is no head and the file ends there.
    pub fn send_file(
        &mut self,
        head: &[u8],
        (file, offset, length): (&File, &mut u64, usize),
        scratch: &mut Scratch,
    ) -> Sent {
        match &mut self.secure {
            None if head.is_empty() => self.socket.send_file(file, offset, length),
            None => self.socket.send(head, length > 0),
            Some(secure) => {
                secure.send_file(&mut self.socket, head, (file, offset, length), scratch)
            }
        }
    }

    /// How much to send in one turn.
    pub fn turn_bytes(&self) -> usize {
        if self.is_secure() {
            SEAL_TURN_BYTES
        } else {
            SEND_TURN_BYTES
        }
    }

    /// Whether bytes that were sent are still to be passed to the socket.
    pub fn has_unsent(&self) -> bool {
        self.secure
            .as_ref()
            .is_some_and(|secure| secure.has_unsent())
    }

    /// Passes unsent bytes to the socket; no room as long as some are left.
    pub fn flush(&mut self) -> Sent {
        match &mut self.secure {
            None => Sent::Bytes(0),
            Some(secure) => secure.flush(&mut self.socket),
        }
    }

    /// Whether the TLS handshake is still to be completed.
    pub fn is_handshaking(&self) -> bool {
        self.secure
            .as_ref()
            .is_some_and(|secure| secure.is_handshaking())
    }

    /// Whether an earlier TLS session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.secure
            .as_ref()
            .is_some_and(|secure| secure.is_resumed())
    }

    pub fn is_secure(&self) -> bool {
        self.secure.is_some()
    }

    /// Why the TLS session failed.
    pub fn take_failure(&mut self) -> Option<Failed> {
        self.secure.as_mut()?.take_failure()
    }

    /// Goes on in clear: the client has not begun a handshake.
    pub fn give_up_tls(&mut self) {
        self.secure = None;
    }

    /// Bytes that the socket has taken since the connection began.
    pub fn sent_bytes(&self) -> u64 {
        self.socket.sent_bytes()
    }

    /// Sent bytes that the client's side has acknowledged; `None` where the kernel does not report
    /// them.
    pub fn acknowledged_bytes(&self, diagnostics: &SockDiag) -> Option<u64> {
        let queues = self.queues(diagnostics)?;
        Some(queues.acknowledged_bytes(self.sent_bytes()))
    }

    /// What the kernel holds for the socket; `None` where the kernel does not report that.
    pub fn queues(&self, diagnostics: &SockDiag) -> Option<Queues> {
        self.socket.queues(diagnostics)
    }

    /// Keeps the send buffer small, so that a slow client makes the socket writable often.
    pub fn bound_send_buffer(&self) {
        self.socket.bound_send_buffer();
    }

    /// Makes closing a reset: the kernel drops what the client has not taken, which it would keep
    /// for minutes.
    pub fn reset_on_close(&self) {
        self.socket.reset_on_close();
    }

    /// Keeps the bytes that the network has not taken within a share.
    pub fn bound_unsent(&mut self, share_bytes: usize) {
        self.socket.bound_unsent(share_bytes);
    }

    /// Ends the sending side; whether the connection was still there. What is received afterwards
    /// is as it arrives.
    pub fn shut_sending(&mut self) -> bool {
        self.close_tls();
        self.socket.shut_sending()
    }

    fn close_tls(&mut self) {
        if let Some(mut secure) = self.secure.take() {
            secure.close(&mut self.socket);
        }
    }

    /// This server's host and port on this connection, for an HTTP/1.0 request that names none.
    pub fn own_address(&self) -> String {
        self.socket
            .own_address()
            .map_or_else(|| "localhost".to_owned(), |address| address.to_string())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.close_tls();
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
