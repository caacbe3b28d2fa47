//! The pair in force, and the TLS half of connections.
//!
//! Invariants: a new pair replaces the old one in one step, for connections that begin after it; a
//! pair that cannot be used changes nothing and is reported once; tickets outlive the pair, so that
//! renewal costs no client its resumption.
//!
//! Sources: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 7301 (ALPN), RFC 5077 and RFC 8446, section
//! 4.6.1 (tickets).

use super::facts::Facts;
use super::pair::{Contents, Pair};
use super::session::Session;
use crate::config::TlsFiles;
use crate::watch::{self, Report, Source, Watched};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, UnbufferedServerConnection,
};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use std::sync::Arc;
use std::time::SystemTime;

/// Makes the TLS half of connections.
pub struct Acceptor {
    config: Arc<ServerConfig>,
    in_force: Arc<InForce>,
}

struct InForce(Watched<TlsFiles>);

impl Source for TlsFiles {
    type Contents = Contents;
    type Value = Pair;

    fn read(&self) -> Result<Contents, String> {
        Contents::read(self)
    }

    fn check(&self, contents: &Contents, now: SystemTime) -> Result<Pair, String> {
        Pair::check(self, contents, now)
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.value().certified))
    }
}

impl std::fmt::Debug for InForce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.source().fmt(f)
    }
}

/// What reading the files again came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Reread {
    /// Nothing to report.
    Unchanged,
    /// A new pair is in force; the sentences are its warnings.
    Renewed(Facts, Vec<String>),
    /// The files hold no usable pair, and the old one stays in force.
    Refused(String),
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor")
            .field("files", &self.in_force)
            .finish_non_exhaustive()
    }
}

impl Acceptor {
    /// Reads the pair; the sentence says what is wrong with it.
    pub fn open(files: TlsFiles, now: SystemTime) -> Result<Self, String> {
        let in_force = Arc::new(InForce(Watched::open(files, now)?));
        let config =
            server_config(Arc::clone(&in_force)).map_err(|error| format!("TLS: {error}"))?;
        Ok(Self {
            config: Arc::new(config),
            in_force,
        })
    }

    /// The TLS half of a new connection.
    pub fn session(&self) -> Option<Session> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&self.config)).ok()?;
        Some(Session::new(connection))
    }

    /// The certificate in force, and its warnings.
    pub fn facts(&self) -> (Facts, Vec<String>) {
        let pair = self.in_force.0.value();
        (pair.facts.clone(), pair.warnings.clone())
    }

    /// Reads both files and puts a new pair in force.
    pub fn reread(&self, now: SystemTime, report: Report) -> Reread {
        match self.in_force.0.reread(now, report) {
            watch::Reread::Unchanged => Reread::Unchanged,
            watch::Reread::Renewed(pair) => {
                Reread::Renewed(pair.facts.clone(), pair.warnings.clone())
            }
            watch::Reread::Refused(why) => Reread::Refused(why),
        }
    }
}

fn server_config(in_force: Arc<InForce>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(in_force);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Tickets keep a session at the client: whatever connects costs no memory here. Their key
    // changes every six hours and opens them for twelve.
    config.ticketer = ring::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}
