//! The TLS half of a wire: records between a session and a socket.
//!
//! Invariants:
//! - A connection that waits holds no buffer but the beginning of a record that has not arrived
//!   whole, and the rest of one record that the socket has not taken. Both are counted.
//! - Records leave in the order in which they were sealed: while some are unsent, none is sealed.
//! - At most one record is sealed ahead of the socket. A reader that stalls costs 16 KiB.
//!
//! Files are read and sealed here, since sendfile knows no TLS.

use super::socket::{Received, Sent, Socket};
use crate::limits::{
    FILE_READ_BYTES, RECEIVE_BUFFER_BYTES, RECORD_BYTES_MAX, RECORD_PLAINTEXT_BYTES_MAX,
};
use crate::tls::{Failed, Opened, Session};
use rustix::io::Errno;
use std::fs::File;

#[derive(Debug)]
pub struct Secure {
    session: Session,
    /// Records that the socket has not taken yet.
    unsent: Vec<u8>,
    /// The client has said that it sends nothing more.
    is_closed: bool,
    failure: Option<Failed>,
}

/// A worker's buffers for TLS. They stay empty in a server without it.
#[derive(Debug, Default)]
pub struct Scratch {
    received: Vec<u8>,
    plaintext: Vec<u8>,
    records: Vec<u8>,
}

impl Secure {
    pub fn new(session: Session) -> Self {
        Self {
            session,
            unsent: Vec::new(),
            is_closed: false,
            failure: None,
        }
    }

    pub fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.session.is_resumed() == Some(true)
    }

    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    pub fn held_bytes(&self) -> usize {
        self.session.held_bytes() + self.unsent.capacity()
    }

    /// Why the session came to its end, if it failed.
    pub fn take_failure(&mut self) -> Option<Failed> {
        self.failure.take()
    }

    /// Receives at most `limit` bytes of records and puts what was in them at the front of
    /// `buffer`. The records that this calls for are sent.
    pub fn receive(
        &mut self,
        socket: &mut Socket,
        buffer: &mut [u8],
        limit: usize,
        scratch: &mut Scratch,
    ) -> Received {
        if self.is_closed {
            return Received::End;
        }
        let Scratch {
            received, records, ..
        } = scratch;
        if received.is_empty() {
            // Zeroed by the kernel, page by page as they are used: a worker that serves small
            // requests keeps few of them.
            *received = vec![0; RECEIVE_BUFFER_BYTES];
        }
        let held = self.session.copy_partial(received);
        // With what is held, no more than `buffer` has room for.
        let limit = limit.min(RECEIVE_BUFFER_BYTES - RECORD_BYTES_MAX);
        let length = match socket.receive(&mut received[held..held + limit]) {
            Received::Bytes(length) => held + length,
            other => return other,
        };
        records.clear();
        let outcome = self
            .session
            .receive(&mut received[..length], buffer, records);
        let sent = self.send_records(socket, records);
        match outcome {
            Ok(_) if matches!(sent, Sent::Gone | Sent::Failed(_)) => Received::End,
            Ok(Opened { length, is_closed }) => {
                self.is_closed = is_closed;
                match (length, is_closed) {
                    (0, true) => Received::End,
                    (0, false) => Received::Nothing,
                    _ => Received::Bytes(length),
                }
            }
            Err(failed) => {
                self.failure = Some(failed);
                self.is_closed = true;
                Received::End
            }
        }
    }

    /// Sends as much of both stretches as fits one record. All earlier ones must have been flushed.
    pub fn send(
        &mut self,
        socket: &mut Socket,
        first: &[u8],
        second: &[u8],
        scratch: &mut Scratch,
    ) -> Sent {
        let Scratch {
            plaintext, records, ..
        } = scratch;
        let of_first = first.len().min(RECORD_PLAINTEXT_BYTES_MAX);
        let of_second = second.len().min(RECORD_PLAINTEXT_BYTES_MAX - of_first);
        let bytes = if of_second == 0 {
            &first[..of_first]
        } else {
            plaintext.clear();
            plaintext.extend_from_slice(&first[..of_first]);
            plaintext.extend_from_slice(&second[..of_second]);
            plaintext
        };
        self.seal_and_send(socket, bytes, records)
    }

    /// Sends bytes and, after them, a stretch of a file, as far as the socket takes records, and
    /// moves `offset` past what it sent of the file. All earlier records must have been flushed.
    pub fn send_file(
        &mut self,
        socket: &mut Socket,
        head: &[u8],
        (file, offset, length): (&File, &mut u64, usize),
        scratch: &mut Scratch,
    ) -> Sent {
        let Scratch {
            plaintext, records, ..
        } = scratch;
        plaintext.resize(FILE_READ_BYTES, 0);
        let of_head = head.len().min(FILE_READ_BYTES);
        plaintext[..of_head].copy_from_slice(&head[..of_head]);
        let end = FILE_READ_BYTES.min(of_head.saturating_add(length));
        let read = match read_at(file, &mut plaintext[of_head..end], *offset) {
            Ok(read) => read,
            Err(error) => return Sent::Failed(error),
        };
        let mut sent_bytes = 0;
        for bytes in plaintext[..of_head + read].chunks(RECORD_PLAINTEXT_BYTES_MAX) {
            match self.seal_and_send(socket, bytes, records) {
                Sent::Bytes(length) => sent_bytes += length,
                other if sent_bytes == 0 => return other,
                _ => break,
            }
            if self.has_unsent() {
                break;
            }
        }
        *offset += sent_bytes.saturating_sub(of_head) as u64;
        Sent::Bytes(sent_bytes)
    }

    /// Sends what is unsent; no room as long as some of it is.
    pub fn flush(&mut self, socket: &mut Socket) -> Sent {
        if self.unsent.is_empty() {
            return Sent::Bytes(0);
        }
        let unsent = std::mem::take(&mut self.unsent);
        let sent = self.send_records(socket, &unsent);
        match sent {
            Sent::Bytes(_) if self.has_unsent() => Sent::NoRoom,
            other => other,
        }
    }

    /// Sends a `close_notify`, as far as the socket takes it at once.
    pub fn close(&mut self, socket: &mut Socket) {
        let mut record = Vec::new();
        // A cut instead is all that can be had where this fails, and clients know it from an end.
        if matches!(self.flush(socket), Sent::Bytes(_)) && self.session.close(&mut record).is_ok() {
            socket.send(&record, false);
        }
    }

    /// The bytes of `plaintext` all count as sent: what the socket does not take is kept.
    fn seal_and_send(
        &mut self,
        socket: &mut Socket,
        plaintext: &[u8],
        records: &mut Vec<u8>,
    ) -> Sent {
        records.clear();
        if self.session.seal(plaintext, records).is_err() {
            return Sent::Gone;
        }
        match self.send_records(socket, records) {
            Sent::Bytes(_) | Sent::NoRoom => Sent::Bytes(plaintext.len()),
            other => other,
        }
    }

    /// Sends records after those that are unsent, and keeps what the socket does not take.
    fn send_records(&mut self, socket: &mut Socket, records: &[u8]) -> Sent {
        if self.has_unsent() {
            self.unsent.extend_from_slice(records);
            return Sent::NoRoom;
        }
        if records.is_empty() {
            return Sent::Bytes(0);
        }
        let sent = socket.send(records, false);
        match sent {
            Sent::Bytes(length) if length < records.len() => {
                self.unsent = records[length..].to_vec();
            }
            Sent::NoRoom => self.unsent = records.to_vec(),
            _ => {}
        }
        sent
    }
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> rustix::io::Result<usize> {
    loop {
        match rustix::io::pread(file, &mut *buffer, offset) {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
