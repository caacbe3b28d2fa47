//! What `serve` opens before it serves: the pair of a certificate and its key, and the listening
//! sockets.

use crate::clock;
use crate::config::{Address, Config};
use crate::http::service::Channel;
use crate::metrics::Metrics;
use crate::server::Tls;
use crate::server::listener::{self, Entrance};
use crate::tls::{Acceptor, Renewal};
use std::net::SocketAddr;
use std::sync::Arc;

pub struct Opened {
    pub entrances: Vec<Entrance>,
    pub tls: Option<Tls>,
    pub renewal: Option<Renewal>,
    /// Where requests are served.
    pub address: SocketAddr,
}

pub fn open(config: &Config, metrics: &Arc<Metrics>) -> Result<Opened, String> {
    let (socket, address) = bind(config.address, "PORT")?;
    let Some(settings) = &config.tls else {
        let channel = Channel::Clear;
        return Ok(Opened {
            entrances: vec![Entrance { socket, channel }],
            tls: None,
            renewal: None,
            address,
        });
    };
    let acceptor = Acceptor::open(settings.files.clone(), clock::wall_now()).map(Arc::new)?;
    let renewal = Renewal::start(Arc::clone(&acceptor), Arc::clone(metrics))
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    let channel = Channel::Tls;
    let mut entrances = vec![Entrance { socket, channel }];
    if let Some(port) = settings.http_port {
        let host = config.address.host;
        let (socket, address) = bind(Address { host, port }, "HTTP_PORT")?;
        let channel = Channel::ClearBesideTls;
        entrances.push(Entrance { socket, channel });
        log::info!(address:% = address; "listening for HTTP in clear, which is sent to HTTPS");
    }
    Ok(Opened {
        entrances,
        tls: Some(Tls {
            acceptor,
            strict_transport_security: settings.strict_transport_security.clone(),
        }),
        renewal: Some(renewal),
        address,
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
