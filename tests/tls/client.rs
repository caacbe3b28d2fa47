//! A client of the same library, whose records go to a session by hand.

use crate::certificates::Authority;
use release_server::tls::{Failed, Opened, Session};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::sync::Arc;

/// As large as a worker's.
const BUFFER_BYTES: usize = 256 * 1024;

pub struct Client {
    config: Arc<ClientConfig>,
    pub connection: ClientConnection,
}

impl Client {
    pub fn new(authority: &Authority) -> Self {
        Self::with_versions(authority, rustls::ALL_VERSIONS)
    }

    pub fn with_versions(
        authority: &Authority,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der.clone().into()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self::with_config(Arc::new(config))
    }

    pub fn with_config(config: Arc<ClientConfig>) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(&config), name).unwrap();
        Self { config, connection }
    }

    /// Another connection of the same client.
    pub fn again(&self) -> Self {
        Self::with_config(Arc::clone(&self.config))
    }

    /// What the client wants to send.
    pub fn records(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut records).unwrap();
        }
        records
    }

    /// Takes what the server sent; the plaintext in it.
    pub fn take(&mut self, mut records: &[u8]) -> Vec<u8> {
        let mut plaintext = Vec::new();
        while !records.is_empty() {
            self.connection.read_tls(&mut records).unwrap();
            let state = self.connection.process_new_packets().unwrap();
            let mut part = vec![0; state.plaintext_bytes_to_read()];
            self.connection.reader().read_exact(&mut part).unwrap();
            plaintext.extend(part);
        }
        plaintext
    }

    pub fn handshake(&mut self, session: &mut Session) {
        for _ in 0..4 {
            let (_, answer) = receive(session, &self.records()).unwrap();
            self.take(&answer);
        }
        assert!(!session.is_handshaking() && !self.connection.is_handshaking());
    }

    /// Sends a request and gets an answer.
    pub fn exchange(&mut self, session: &mut Session, request: &[u8], answer: &[u8]) {
        self.connection.writer().write_all(request).unwrap();
        let (received, more) = receive(session, &self.records()).unwrap();
        assert_eq!(received, request);
        self.take(&more);
        let mut records = Vec::new();
        session.seal(answer, &mut records).unwrap();
        assert_eq!(self.take(&records), answer);
    }

    pub fn peer_certificate(&self) -> Vec<u8> {
        self.connection.peer_certificates().unwrap()[0].to_vec()
    }
}

/// Hands bytes to a session as a connection does: the plaintext, and what has to be sent.
pub fn receive(session: &mut Session, bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Failed> {
    let (opened, plaintext, records) = receive_all(session, bytes);
    opened.map(|_| (plaintext, records))
}

pub fn receive_all(
    session: &mut Session,
    bytes: &[u8],
) -> (Result<Opened, Failed>, Vec<u8>, Vec<u8>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let held = session.copy_partial(&mut buffer);
    buffer[held..held + bytes.len()].copy_from_slice(bytes);
    let mut plaintext = vec![0; BUFFER_BYTES];
    let mut records = Vec::new();
    let opened = session.receive(
        &mut buffer[..held + bytes.len()],
        &mut plaintext,
        &mut records,
    );
    let length = opened.as_ref().map_or(0, |opened| opened.length);
    plaintext.truncate(length);
    (opened, plaintext, records)
}
