//! One TLS connection without its socket: records to bytes and back.
//!
//! Invariants:
//! - Between calls nothing is held but the keys, and the beginning of a record or handshake message
//!   whose rest has not arrived, which is bounded and counted.
//! - Records that were made are sent in their order and never made again.
//! - After a failure nothing more is received or sealed; the alert that says why is among the
//!   records to send.
//! - Only `close_notify` is reported as the client's end; an end of the stream without it is the
//!   socket's to report.
//!
//! Sources: RFC 8446, sections 5 (records) and 6.1 (closure alerts); RFC 5246, section 7.2.1.

use super::outcome::{Failed, Opened};
use crate::limits::{RECORD_BYTES_MAX, RECORD_OVERHEAD_BYTES_MAX, RECORD_PLAINTEXT_BYTES_MAX};
use rustls::HandshakeKind;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};

/// The TLS half of a connection.
pub struct Session {
    connection: UnbufferedServerConnection,
    /// The beginning of a record or of a handshake message.
    partial: Vec<u8>,
    is_closed_by_client: bool,
    has_failed: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("partial_bytes", &self.partial.len())
            .field("is_handshaking", &self.is_handshaking())
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(connection: UnbufferedServerConnection) -> Self {
        Self {
            connection,
            partial: Vec::new(),
            is_closed_by_client: false,
            has_failed: false,
        }
    }

    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether the handshake resumed an earlier session; `None` before that is decided.
    pub fn is_resumed(&self) -> Option<bool> {
        let kind = self.connection.handshake_kind()?;
        Some(kind == HandshakeKind::Resumed)
    }

    /// The memory that it holds beside what every session needs.
    pub fn held_bytes(&self) -> usize {
        self.partial.capacity()
    }

    /// Copies the beginning of a record that was received before to the front of `buffer`, which
    /// takes at least [`RECORD_BYTES_MAX`]. What the socket gives belongs behind it, and both
    /// into [`Session::receive`].
    pub fn copy_partial(&self, buffer: &mut [u8]) -> usize {
        buffer[..self.partial.len()].copy_from_slice(&self.partial);
        self.partial.len()
    }

    /// Opens records: puts what was in them at the front of `plaintext`, which is at least as long
    /// as `received`, and appends what has to be sent for them to `records`.
    pub fn receive(
        &mut self,
        received: &mut [u8],
        plaintext: &mut [u8],
        records: &mut Vec<u8>,
    ) -> Result<Opened, Failed> {
        let (mut used, mut length) = (0, 0);
        let outcome = loop {
            let UnbufferedStatus { discard, state } =
                self.connection.process_tls_records(&mut received[used..]);
            used += discard;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        let end = length + record.payload.len();
                        plaintext[length..end].copy_from_slice(record.payload);
                        length = end;
                        used += record.discard;
                    }
                }
                Ok(ConnectionState::PeerClosed) => self.is_closed_by_client = true,
                Ok(
                    ConnectionState::BlockedHandshake
                    | ConnectionState::WriteTraffic(_)
                    | ConnectionState::Closed,
                ) => break Ok(()),
                Ok(state) => {
                    if let Err(failed) = progress(state, records) {
                        break Err(failed);
                    }
                }
                Err(error) => break Err(Failed(error.to_string())),
            }
        };
        let rest = &mut received[used..];
        if let Err(failed) = outcome {
            self.has_failed = true;
            self.take_last_records(rest, records);
            return Err(failed);
        }
        if rest.len() > RECORD_BYTES_MAX {
            self.has_failed = true;
            return Err(Failed("a handshake message is too long".to_owned()));
        }
        // Bytes after a close_notify are ignored.
        self.partial = if self.is_closed_by_client {
            Vec::new()
        } else {
            rest.to_vec()
        };
        Ok(Opened {
            length,
            is_closed: self.is_closed_by_client,
        })
    }

    /// Puts `plaintext` into records and appends them to `records`, after whatever else has to be
    /// sent.
    pub fn seal(&mut self, plaintext: &[u8], records: &mut Vec<u8>) -> Result<(), Failed> {
        let count = plaintext.len().div_ceil(RECORD_PLAINTEXT_BYTES_MAX);
        let space = plaintext.len() + count * RECORD_OVERHEAD_BYTES_MAX;
        self.with_traffic(records, |mut traffic, records| {
            fill(records, space, |space| {
                traffic
                    .encrypt(plaintext, space)
                    .map_err(|error| lacking(&error))
            })
        })
    }

    /// Appends a `close_notify`: what was sent is complete.
    pub fn close(&mut self, records: &mut Vec<u8>) -> Result<(), Failed> {
        self.with_traffic(records, |mut traffic, records| {
            fill(records, RECORD_OVERHEAD_BYTES_MAX, |space| {
                traffic
                    .queue_close_notify(space)
                    .map_err(|error| lacking(&error))
            })
        })
    }

    fn with_traffic(
        &mut self,
        records: &mut Vec<u8>,
        mut write: impl FnMut(Traffic<'_>, &mut Vec<u8>) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        if self.has_failed {
            return Err(Failed("the session has failed before".to_owned()));
        }
        loop {
            // What is held belongs to a message that is looked at again each time.
            let UnbufferedStatus { discard, state } =
                self.connection.process_tls_records(&mut self.partial);
            let done = match state {
                Ok(ConnectionState::WriteTraffic(traffic)) => {
                    write(traffic, records).map(|()| true)
                }
                Ok(ConnectionState::PeerClosed) => Ok(false),
                Ok(state) => progress(state, records).map(|()| false),
                Err(error) => Err(Failed(error.to_string())),
            };
            self.partial.drain(..discard);
            match done {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(failed) => {
                    self.has_failed = true;
                    return Err(failed);
                }
            }
        }
    }

    /// What was made for the client before a failure, and the alert that says why, if there is one.
    fn take_last_records(&mut self, rest: &mut [u8], records: &mut Vec<u8>) {
        // The bytes that failed are looked at again only after these records.
        while self.connection.wants_write() {
            let Ok(state) = self.connection.process_tls_records(rest).state else {
                return;
            };
            // Where one cannot be written, the client sees the end of the connection alone.
            if progress(state, records).is_err() {
                return;
            }
        }
    }
}

type Traffic<'c> = rustls::unbuffered::WriteTraffic<'c, ServerConnectionData>;

/// Takes the steps of a handshake that make records.
fn progress(
    state: ConnectionState<'_, '_, ServerConnectionData>,
    records: &mut Vec<u8>,
) -> Result<(), Failed> {
    match state {
        ConnectionState::EncodeTlsData(mut data) => fill(records, 0, |space| {
            data.encode(space).map_err(|error| match error {
                EncodeError::InsufficientSize(error) => Some(error.required_size),
                EncodeError::AlreadyEncoded => None,
            })
        }),
        ConnectionState::TransmitTlsData(transmit) => {
            transmit.done();
            Ok(())
        }
        state => Err(Failed(format!("nothing can be sent in state {state:?}"))),
    }
}

/// The size that encrypting lacked; `None` where no size would do.
fn lacking(error: &EncryptError) -> Option<usize> {
    match error {
        EncryptError::InsufficientSize(error) => Some(error.required_size),
        EncryptError::EncryptExhausted => None,
    }
}

/// Appends what `write` writes into the space it is given: `space` bytes, or as many as it then
/// asks for.
fn fill(
    records: &mut Vec<u8>,
    mut space: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), Failed> {
    let start = records.len();
    loop {
        records.resize(start + space, 0);
        match write(&mut records[start..]) {
            Ok(length) => {
                records.truncate(start + length);
                return Ok(());
            }
            Err(Some(required)) if required > space => space = required,
            Err(_) => {
                records.truncate(start);
                return Err(Failed("the keys of the session are used up".to_owned()));
            }
        }
    }
}
