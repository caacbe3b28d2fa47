//! The health check of a container that has neither shell nor curl: asks `/readyz` of the running server.
//!
//! Invariant: the address is known from the settings, so no name is ever looked up. That keeps the C library's resolver
//! out of the static binary, where it would be 300 KiB that cannot work without shared libraries.
//!
//! It speaks HTTP itself: of the answer only the status counts, which every status line has at the same place, and a
//! client crate for that was a tenth of the binary.
//!
//! Source: RFC 9112, section 4 (status line).

use crate::config::Address;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long it waits for the connection, and for the answer.
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
    let trouble = match ask(address) {
        Ok(answer) if answer == *b"HTTP/1.1 200" => return Ok(()),
        Ok(answer) => format!("the answer is '{}'", answer.escape_ascii()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => "no answer came".to_owned(),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the connection was closed without an answer".to_owned()
        }
        Err(error) => error.to_string(),
    };
    Err(format!("http://{address}/readyz: not ready: {trouble}"))
}

/// The beginning of the answer: version and status.
fn ask(address: SocketAddr) -> std::io::Result<[u8; 12]> {
    let mut connection = TcpStream::connect_timeout(&address, TIME_MAX)?;
    connection.set_read_timeout(Some(TIME_MAX))?;
    write!(
        connection,
        "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = [0; 12];
    connection.read_exact(&mut answer)?;
    Ok(answer)
}
