//! What stands for TLS in a binary that is built without it.
//!
//! Invariant: settings that ask for TLS stop the start, so no value of these types is ever made.

use super::outcome::{Failed, Opened};
use crate::config::TlsFiles;
use crate::metrics::Metrics;
use std::io;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::time::SystemTime;

const ABSENT: &str = "this binary is built without HTTPS; remove tls_certificate and tls_key, or \
                      build it with the feature tls";

#[derive(Debug)]
pub enum Acceptor {}

impl Acceptor {
    pub fn open(_files: TlsFiles, _now: SystemTime) -> Result<Self, String> {
        Err(ABSENT.to_owned())
    }

    pub fn session(&self) -> Option<Session> {
        match *self {}
    }
}

pub fn describe(_files: &TlsFiles, _now: SystemTime) -> Result<String, String> {
    Err(ABSENT.to_owned())
}

/// See the module of this name in a binary with TLS.
pub fn connect_to_own_server(connection: TcpStream, _host: IpAddr) -> io::Result<TcpStream> {
    drop(connection);
    Err(io::Error::other(ABSENT))
}

#[derive(Clone)]
pub enum Renewal {}

impl Renewal {
    pub fn start(acceptor: Arc<Acceptor>, _metrics: Arc<Metrics>) -> io::Result<Self> {
        match *acceptor {}
    }

    pub fn reread_now(&self) {
        match *self {}
    }
}

#[derive(Debug)]
pub enum Session {}

impl Session {
    pub fn is_handshaking(&self) -> bool {
        match *self {}
    }

    pub fn is_resumed(&self) -> Option<bool> {
        match *self {}
    }

    pub fn held_bytes(&self) -> usize {
        match *self {}
    }

    pub fn copy_partial(&self, _buffer: &mut [u8]) -> usize {
        match *self {}
    }

    pub fn receive(
        &mut self,
        _received: &mut [u8],
        _plaintext: &mut [u8],
        _records: &mut Vec<u8>,
    ) -> Result<Opened, Failed> {
        match *self {}
    }

    pub fn seal(&mut self, _plaintext: &[u8], _records: &mut Vec<u8>) -> Result<(), Failed> {
        match *self {}
    }

    pub fn close(&mut self, _records: &mut Vec<u8>) -> Result<(), Failed> {
        match *self {}
    }
}
