//! What `serve` opens before it serves: the pair of a certificate and its key, and the listening
//! sockets.

use crate::clock;
use crate::config::{Address, Config};
use crate::http::service::Channel;
use crate::server::Tls;
use crate::server::listener::{self, Entrance};
use crate::tls::Acceptor;
use std::net::SocketAddr;
use std::sync::Arc;

pub struct Opened {
    pub entrances: Vec<Entrance>,
    pub tls: Option<Tls>,
    /// Where requests are served.
    pub address: SocketAddr,
    /// Where requests in clear are sent to HTTPS.
    pub http_address: Option<SocketAddr>,
}

pub fn open(config: &Config) -> Result<Opened, String> {
    let tls = config.tls.as_ref();
    let acceptor = tls
        .map(|tls| Acceptor::open(tls.files.clone(), clock::wall_now()))
        .transpose()?;
    let (socket, address) = bind(config.address, "PORT")?;
    let channel = if acceptor.is_some() {
        Channel::Tls
    } else {
        Channel::Clear
    };
    let mut entrances = vec![Entrance { socket, channel }];
    let mut http_address = None;
    if let Some(port) = tls.and_then(|tls| tls.http_port) {
        let host = config.address.host;
        let (socket, address) = bind(Address { host, port }, "HTTP_PORT")?;
        let channel = Channel::ClearBesideTls;
        entrances.push(Entrance { socket, channel });
        http_address = Some(address);
    }
    let policy = tls.and_then(|tls| tls.strict_transport_security.clone());
    Ok(Opened {
        entrances,
        tls: acceptor.map(|acceptor| Tls {
            acceptor: Arc::new(acceptor),
            strict_transport_security: policy,
        }),
        address,
        http_address,
    })
}

fn bind(address: Address, variable: &str) -> Result<(std::os::fd::OwnedFd, SocketAddr), String> {
    listener::bind(address).map_err(|error| {
        let address = match address.host {
            Some(host) => SocketAddr::new(host, address.port).to_string(),
            None => format!("port {}", address.port),
        };
        format!("cannot listen on {address}: {error}; set {variable} or HOST to listen elsewhere")
    })
}
