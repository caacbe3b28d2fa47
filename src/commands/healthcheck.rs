//! The health check for a container without a shell or curl: requests `/readyz` of the running
//! server.
//!
//! Invariant: the address comes from the settings, so no host name is ever resolved. That keeps the
//! C library's resolver out of the static binary: 300 KiB that need shared libraries at run time.
//!
//! The request is written here: only the status counts, which every status line has at the same
//! place, and an HTTP client's crates were a tenth of the binary.
//!
//! Source: RFC 9112, section 4 (status line).

use crate::config::Address;
use crate::tls::connect_to_own_server;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// For the connection, and for each part of the answer.
const TIME_MAX: Duration = Duration::from_secs(3);

/// Checks the server that listens on `address` of this host; the error is a sentence.
pub fn check(address: Address, is_tls: bool) -> Result<(), String> {
    let host = match address.host {
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(IpAddr::V4(host)) if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(IpAddr::V6(host)) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        Some(host) => host,
    };
    let address = SocketAddr::new(host, address.port);
    let reason = match ask(address, is_tls) {
        Ok(answer) if answer == *b"HTTP/1.1 200" => return Ok(()),
        Ok(answer) => format!("the answer is '{}'", answer.escape_ascii()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => "no answer arrived".to_owned(),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the connection was closed without an answer".to_owned()
        }
        Err(error) => error.to_string(),
    };
    let scheme = if is_tls { "https" } else { "http" };
    Err(format!("{scheme}://{address}/readyz: not ready: {reason}"))
}

/// The first bytes of the answer: version and status.
fn ask(address: SocketAddr, is_tls: bool) -> io::Result<[u8; 12]> {
    let connection = TcpStream::connect_timeout(&address, TIME_MAX)?;
    connection.set_read_timeout(Some(TIME_MAX))?;
    if is_tls {
        exchange(connect_to_own_server(connection, address.ip())?, address)
    } else {
        exchange(connection, address)
    }
}

fn exchange(mut connection: impl Read + Write, address: SocketAddr) -> io::Result<[u8; 12]> {
    write!(
        connection,
        "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = [0; 12];
    connection.read_exact(&mut answer)?;
    Ok(answer)
}
