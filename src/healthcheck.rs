//! The health check of a container that has neither shell nor curl: asks `/readyz` of the running server.
//!
//! Invariant: the address is known from the settings, so no name is ever looked up. That keeps the C library's resolver
//! out of the static binary, where it would be 300 KiB that cannot work without shared libraries.

use crate::config::Address;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, TcpConnector};

/// How long it waits for the answer.
const TIME_MAX: Duration = Duration::from_secs(3);

/// Asks the server that listens on `address`, on this host; the sentence says what is wrong.
pub fn check(address: Address) -> Result<(), String> {
    let host = match address.host {
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(IpAddr::V4(host)) if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(IpAddr::V6(host)) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        Some(host) => host,
    };
    let address = SocketAddr::new(host, address.port);
    let config = Config::builder()
        .timeout_global(Some(TIME_MAX))
        .proxy(None)
        .build();
    let agent = ureq::Agent::with_parts(config, TcpConnector::default(), Known(address));
    let url = format!("http://{address}/readyz");
    match agent.get(&url).call() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{url}: not ready: {error}")),
    }
}

/// The one address that there is to know.
#[derive(Debug)]
struct Known(SocketAddr);

impl Resolver for Known {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}
