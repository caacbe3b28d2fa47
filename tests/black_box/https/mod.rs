//! HTTPS by the server itself, whatever the switch `TEST_TLS` says: its ports, its certificate, and
//! handshakes that go wrong.

mod handshakes;
mod ports;
mod renewal;

use crate::support::certificates::Authority;
use crate::support::tls::client_config;
use crate::support::{Connection, TestServer};
use release_server::config::TlsFiles;
use rustls::ClientConfig;
use std::net::TcpStream;
use std::sync::Arc;

/// A server with a certificate of its own authority.
struct HttpsServer {
    server: TestServer,
    authority: Authority,
    client: Arc<ClientConfig>,
    files: TlsFiles,
    folder: tempfile::TempDir,
}

impl HttpsServer {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        let files = authority.pair().write(folder.path());
        let (certificate, key) = (path(&files.certificate), path(&files.key));
        let files_set = [("TLS_CERTIFICATE", &*certificate), ("TLS_KEY", &*key)];
        let settings: Vec<_> = files_set.iter().chain(settings).copied().collect();
        Self {
            server: TestServer::with(&settings),
            client: client_config(&authority),
            authority,
            files,
            folder,
        }
    }

    /// A connection in clear to the port that speaks TLS.
    fn connect_in_clear(&self) -> Connection {
        Connection::new(TcpStream::connect(("127.0.0.1", self.server.port)).unwrap())
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", self.server.port)).unwrap();
        Connection::over_tls_with(&self.client, stream).expect("a handshake")
    }

    /// The status and body of a request of its own connection.
    fn get(&self, path: &str) -> crate::support::Response {
        let mut connection = self.connect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        connection.send(request.as_bytes());
        connection.response("GET")
    }

    /// A number of `/metrics`.
    fn metric(&self, sample: &str) -> u64 {
        let text = self.get("/metrics").text();
        let mut samples = text.lines().filter_map(|line| line.split_once(' '));
        let (_, value) = samples.find(|(name, _)| *name == sample).unwrap();
        value.parse().unwrap()
    }
}

fn path(path: &std::path::Path) -> String {
    path.to_str().unwrap().to_owned()
}
