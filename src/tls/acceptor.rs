//! The pair in force, and how its files are read again as they change.
//!
//! Invariants: a new pair replaces the old one in one step, for connections that begin after it; a
//! pair that cannot be used changes nothing and is reported once; tickets outlive the pair, so that
//! renewal costs no client its resumption.
//!
//! Both files are read and compared, since no notification covers all the ways in which they are
//! replaced: a rename, a symbolic link set anew (certbot), a link to a directory set anew
//! (Kubernetes), writing in place. Two files cannot be replaced in one step, so a pair that does
//! not fit is reported only when the same contents are read twice.
//!
//! Sources: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2), RFC 7301 (ALPN), RFC 5077 and RFC 8446, section
//! 4.6.1 (tickets).

use super::facts::Facts;
use super::pair::{Contents, Pair};
use super::session::Session;
use crate::config::TlsFiles;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, UnbufferedServerConnection,
};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

/// Makes the TLS half of connections.
pub struct Acceptor {
    files: TlsFiles,
    config: Arc<ServerConfig>,
    in_force: Arc<InForce>,
    last_read: Mutex<LastRead>,
}

#[derive(Debug)]
struct InForce(RwLock<Pair>);

impl ResolvesServerCert for InForce {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let pair = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&pair.certified))
    }
}

/// What the files held when they were last read.
struct LastRead {
    contents: Result<Contents, String>,
    /// Why these contents cannot be used, until that is reported.
    unreported: Option<String>,
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

/// Whether contents that cannot be used are reported when they are first read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// For a person who asked for it.
    AtOnce,
    /// For a check that comes again: the second file may still be on its way.
    WhenReadTwice,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Acceptor {
    /// Reads the pair; the sentence says what is wrong with it.
    pub fn open(files: TlsFiles, now: SystemTime) -> Result<Self, String> {
        let contents = Contents::read(&files)?;
        let pair = Pair::check(&files, &contents, now)?;
        let in_force = Arc::new(InForce(RwLock::new(pair)));
        let config =
            server_config(Arc::clone(&in_force)).map_err(|error| format!("TLS: {error}"))?;
        Ok(Self {
            files,
            config: Arc::new(config),
            in_force,
            last_read: Mutex::new(LastRead {
                contents: Ok(contents),
                unreported: None,
            }),
        })
    }

    /// The TLS half of a new connection.
    pub fn session(&self) -> Option<Session> {
        let connection = UnbufferedServerConnection::new(Arc::clone(&self.config)).ok()?;
        Some(Session::new(connection))
    }

    /// The certificate in force, and its warnings.
    pub fn facts(&self) -> (Facts, Vec<String>) {
        let pair = self
            .in_force
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        (pair.facts.clone(), pair.warnings.clone())
    }

    /// Reads both files and puts a new pair in force.
    pub fn reread(&self, now: SystemTime, report: Report) -> Reread {
        let contents = Contents::read(&self.files);
        let mut last = self
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if contents == last.contents {
            return last
                .unreported
                .take()
                .map_or(Reread::Unchanged, Reread::Refused);
        }
        let pair = match &contents {
            Ok(contents) => Pair::check(&self.files, contents, now),
            Err(why) => Err(why.clone()),
        };
        last.contents = contents;
        last.unreported = None;
        match pair {
            Ok(pair) => {
                let (facts, warnings) = (pair.facts.clone(), pair.warnings.clone());
                *self
                    .in_force
                    .0
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = pair;
                Reread::Renewed(facts, warnings)
            }
            Err(why) if report == Report::AtOnce => Reread::Refused(why),
            Err(why) => {
                last.unreported = Some(why);
                Reread::Unchanged
            }
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
