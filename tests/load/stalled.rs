//! Clients that stall: half a head, half a body, an answer that is not read, or a silent
//! connection. They wait, check the answer, and disconnect abruptly.

use crate::support::{Connection, TOKEN, TestServer};
use crate::tally::Tally;
use crate::version::Version;
use crate::{End, Random};
use std::io::ErrorKind;
use std::time::Duration;

/// A package larger than the socket buffers.
pub fn large() -> Version {
    Version::new(u16::MAX, 0, 8 << 20)
}

/// Longer than the server's deadlines for a head or a body.
const STALL_MILLISECONDS_MAX: usize = 15_000;

/// Stalls repeatedly until the end.
pub fn run(server: &TestServer, tally: &Tally, seed: u64, end: End) {
    let mut random = Random(seed);
    while !end.is_reached() {
        let (kind, bytes) = match random.below(4) {
            0 => (
                "stalled: half a head",
                "GET /latest HTTP/1.1\r\nHos".to_owned(),
            ),
            1 => ("stalled: half a body", half_a_body()),
            2 => ("stalled: an answer not read", half_an_answer()),
            _ => ("stalled: nothing sent", String::new()),
        };
        tally.attempt(kind, || {
            let mut connection = server.connect();
            connection.send(bytes.as_bytes());
            end.idle(random.milliseconds_below(STALL_MILLISECONDS_MAX));
            if !bytes.contains(&large().name()) {
                assert_given_up_if_at_all(&mut connection);
            }
            if random.once_in(2) {
                reset(connection);
            }
            0
        });
    }
}

/// The request whose answer is not read.
pub fn half_an_answer() -> String {
    let name = large().name();
    format!("GET /assets/{name} HTTP/1.1\r\nHost: test\r\n\r\n")
}

fn half_a_body() -> String {
    format!(
        "PUT /assets/half.zip HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: 2000\r\n\r\nhalf"
    )
}

/// Asserts that there is no answer yet, or 408, or the end of the connection.
fn assert_given_up_if_at_all(connection: &mut Connection) {
    connection.stream.set_nonblocking(true).unwrap();
    let has_come = match connection.stream.peek(&mut [0]) {
        Ok(length) => length > 0,
        Err(error) => {
            let expected = [ErrorKind::WouldBlock, ErrorKind::ConnectionReset];
            assert!(expected.contains(&error.kind()), "{error}");
            false
        }
    };
    connection.stream.set_nonblocking(false).unwrap();
    if has_come {
        connection.response("GET").assert_error(408, "in time");
    }
}

/// Resets a connection.
pub fn reset(connection: Connection) {
    let at_once = Some(Duration::ZERO);
    rustix::net::sockopt::set_socket_linger(&connection.stream, at_once).unwrap();
    drop(connection);
}
