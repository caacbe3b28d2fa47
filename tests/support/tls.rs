//! The switch that runs the black-box tests over TLS: with `TEST_TLS=1` in the environment, every
//! server of the tests has a certificate and every connection a handshake.

use super::certificates::Authority;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Whether servers and connections speak TLS.
pub fn is_over_tls() -> bool {
    std::env::var_os("TEST_TLS").is_some_and(|value| value == "1")
}

/// The scheme of the URLs in answers.
pub fn scheme() -> &'static str {
    if is_over_tls() { "https" } else { "http" }
}

/// The base of the URLs in answers to requests whose Host is `test`.
pub fn base() -> String {
    format!("{}://test", scheme())
}

struct Materials {
    settings: [(&'static str, PathBuf); 2],
    /// The authority's certificate, as other clients read it.
    authority: PathBuf,
    client: Arc<ClientConfig>,
}

/// One pair for all servers of a test process.
fn materials() -> &'static Materials {
    static MATERIALS: OnceLock<Materials> = OnceLock::new();
    MATERIALS.get_or_init(|| {
        let process = format!("tls-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(process);
        std::fs::create_dir_all(&folder).unwrap();
        let authority = Authority::new();
        let files = authority.pair().write(&folder);
        let path = folder.join("ca.crt");
        std::fs::write(&path, authority.pem()).unwrap();
        Materials {
            settings: [
                ("TLS_CERTIFICATE", files.certificate),
                ("TLS_KEY", files.key),
            ],
            authority: path,
            client: client_config(&authority),
        }
    })
}

/// Settings of a server for this run.
pub fn settings() -> &'static [(&'static str, PathBuf)] {
    if is_over_tls() {
        &materials().settings
    } else {
        &[]
    }
}

/// The file by which other clients trust the servers of this run; `None` in clear.
pub fn authority_file() -> Option<&'static Path> {
    is_over_tls().then(|| materials().authority.as_path())
}

/// A client that trusts this authority alone.
pub fn client_config(authority: &Authority) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// The client's half of a TLS connection, its records passed by hand.
pub struct TlsClient(ClientConnection);

impl TlsClient {
    /// Shakes hands; `None` where the server ends before that is done.
    pub fn connect(stream: &mut TcpStream) -> Option<Self> {
        Self::connect_with(&materials().client, stream)
    }

    pub fn connect_with(config: &Arc<ClientConfig>, stream: &mut TcpStream) -> Option<Self> {
        let name = ServerName::try_from("localhost").unwrap();
        let mut session = ClientConnection::new(Arc::clone(config), name).unwrap();
        session.set_buffer_limit(None);
        while session.is_handshaking() {
            session.complete_io(stream).ok()?;
        }
        Some(Self(session))
    }

    pub fn send(&mut self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        self.0.writer().write_all(bytes)?;
        self.flush(stream)
    }

    /// Sends what is due.
    fn flush(&mut self, stream: &mut TcpStream) -> std::io::Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(stream)?;
        }
        Ok(())
    }

    pub fn send_close_notify(&mut self, stream: &mut TcpStream) {
        self.0.send_close_notify();
        let _ = self.flush(stream);
    }

    /// Receives some more; none at the connection's end.
    pub fn receive(&mut self, stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
        loop {
            let mut plaintext = vec![0; 64 * 1024];
            match self.0.reader().read(&mut plaintext) {
                Ok(length) => {
                    plaintext.truncate(length);
                    return Ok(plaintext);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The end without a close_notify: what was received before is complete or not by
                // its own framing.
                Err(_) => return Ok(Vec::new()),
            }
            self.0.read_tls(stream)?;
            if self.0.process_new_packets().is_err() {
                return Ok(Vec::new());
            }
        }
    }
}
