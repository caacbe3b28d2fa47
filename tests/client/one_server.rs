//! A server that answers each connection's requests with given bytes, and keeps what it received.

use crate::certificates::{Authority, unpem};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// A request's head and body.
pub struct Received {
    pub head: String,
    pub body: Vec<u8>,
}

pub struct OneServer {
    pub address: SocketAddr,
    pub received: Receiver<Received>,
}

impl OneServer {
    pub fn start(answer: &'static [u8]) -> Self {
        Self::listen(answer, None)
    }

    pub fn start_tls(answer: &'static [u8], authority: &Authority) -> Self {
        let pair = authority.pair();
        let key = PrivateKeyDer::try_from(unpem(&pair.key)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![unpem(&pair.certificate).into()], key.clone_key())
            .unwrap();
        Self::listen(answer, Some(Arc::new(config)))
    }

    fn listen(answer: &'static [u8], tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = channel();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, sender, tls) = (connection.unwrap(), sender.clone(), tls.clone());
                std::thread::spawn(move || {
                    let mut stream = open(connection, tls);
                    while let Some(request) = serve(&mut stream, answer) {
                        let _ = sender.send(request);
                    }
                });
            }
        });
        Self { address, received }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn https_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn open(connection: TcpStream, tls: Option<Arc<ServerConfig>>) -> BufReader<Box<dyn Stream>> {
    BufReader::new(match tls {
        Some(config) => {
            let session = ServerConnection::new(config).unwrap();
            Box::new(StreamOwned::new(session, connection))
        }
        None => Box::new(connection),
    })
}

/// `None` where the client has closed.
fn serve(stream: &mut BufReader<Box<dyn Stream>>, answer: &[u8]) -> Option<Received> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match stream.read_line(&mut head) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    // An answer other than 100 comes instead of the body.
    if head.contains("expect: 100-continue") {
        if !answer.starts_with(b"HTTP/1.1 2") {
            let _ = stream.get_mut().write_all(answer);
            return Some(Received {
                head,
                body: Vec::new(),
            });
        }
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .unwrap();
    }
    stream.read_exact(&mut body).ok()?;
    let _ = stream.get_mut().write_all(answer);
    Some(Received { head, body })
}
