//! Handshakes that stop, drip, or are none; and what a thousand of them cost.

use super::HttpsServer;
use crate::support::{Connection, until};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// The first message of a client.
fn hello(server: &HttpsServer) -> Vec<u8> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(&server.client), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

/// The bytes that the server sends before it closes.
fn answer_to(server: &HttpsServer, bytes: &[u8]) -> Vec<u8> {
    let mut connection = server.connect_in_clear();
    connection.send(bytes);
    let mut answer = Vec::new();
    // The server closes with bytes of the client unread, which may reset the connection.
    let _ = connection.stream.read_to_end(&mut answer);
    answer
}

#[test]
fn what_is_no_handshake_is_ended_with_an_alert() {
    let server = HttpsServer::start();
    let hello = hello(&server);
    let mut turned = hello.clone();
    turned[9] ^= 1;
    let mut version = hello.clone();
    version[1] = 9;
    let table = [
        ("zeros", vec![0; 100]),
        ("another protocol", b"\x80\x2e\x01\x03\x01".repeat(20)),
        ("a hello of another version", version),
        (
            "application data",
            [&[23, 3, 3, 0, 16][..], &[7; 16]].concat(),
        ),
        (
            "a record of 64 KiB",
            [&[22, 3, 1, 0xff, 0xff][..], &[1; 1000]].concat(),
        ),
    ];
    for (what, bytes) in table {
        let answer = answer_to(&server, &bytes);
        // The type of the record, and the alert's level.
        assert_eq!((answer[0], answer[5]), (21, 2), "{what}");
    }
    assert_eq!(server.get("/healthz").status, 200);
    until(|| {
        (server.metric("release_server_tls_handshakes_total{outcome=\"failed\"}") >= 5)
            .then_some(())
    });
    // One line each, which names the client and the reason.
    let lines = server.server.log();
    let failed = |line: &&serde_json::Value| line["message"] == "TLS handshake failed";
    assert!(lines.iter().filter(failed).count() >= 5);
    assert!(lines.iter().filter(failed).all(|line| line["error"] != ""));
}

#[test]
fn a_hello_beyond_a_record_is_not_collected() {
    let server = HttpsServer::start();
    // A message that announces 60,000 bytes, in records of 10,000.
    let mut message = vec![1, 0, 0xea, 0x60];
    message.resize(60_000, 0);
    let records: Vec<u8> = message
        .chunks(10_000)
        .flat_map(|part| [&[22, 3, 1, 0x27, 0x10][..], part].concat())
        .collect();
    let mut connection = server.connect_in_clear();
    connection.send(&records);
    until(|| {
        (server.metric("release_server_tls_handshakes_total{outcome=\"failed\"}") == 1)
            .then_some(())
    });
}

#[test]
fn a_hello_byte_by_byte_and_requests_in_records_of_one_byte_are_served() {
    let server = HttpsServer::start();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::clone(&server.client), name).unwrap();
    let mut connection = server.connect_in_clear();
    while client.is_handshaking() || client.wants_write() {
        let mut records = Vec::new();
        client.write_tls(&mut records).unwrap();
        for byte in records {
            connection.stream.write_all(&[byte]).unwrap();
        }
        if client.is_handshaking() {
            client.read_tls(&mut connection.stream).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    for byte in b"GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n" {
        client.writer().write_all(&[*byte]).unwrap();
        client.write_tls(&mut connection.stream).unwrap();
    }
    let mut answer = Vec::new();
    while client.read_tls(&mut connection.stream).unwrap() > 0 {
        client.process_new_packets().unwrap();
        let mut part = vec![0; 1000];
        while let Ok(length @ 1..) = client.reader().read(&mut part) {
            answer.extend_from_slice(&part[..length]);
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(answer.ends_with(b"OK\n"));
    // The end is a close_notify, so no cut can look like it.
    assert_eq!(client.reader().read(&mut [0]).unwrap(), 0);
}

/// Whether the other side has closed the connection.
fn is_ended(connection: &mut Connection) -> bool {
    connection.stream.set_nonblocking(true).unwrap();
    match connection.stream.read(&mut [0; 1000]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn a_handshake_that_stops_or_drips_is_ended_after_its_time() {
    let server = HttpsServer::start();
    let hello = hello(&server);
    let mut connections = [(); 3].map(|()| server.connect_in_clear());
    // One stops in its first message, one before its second. The third drips a message of 16,000
    // bytes, which does not arrive in 10 s.
    let dripping = [22, 3, 1, 0x3e, 0x84, 1, 0, 0x3e, 0x80];
    for (connection, bytes) in connections
        .iter_mut()
        .zip([&hello[..100], &hello, &dripping])
    {
        connection.send(bytes);
    }
    until(|| {
        connections[2].send(&[0]);
        connections.iter_mut().all(is_ended).then_some(())
    });
    let late = "release_server_connections_closed_total{reason=\"handshake\"}";
    assert_eq!(server.metric(late), 3);
}

#[test]
fn a_client_that_sends_nothing_is_idle_and_has_not_failed() {
    let server = HttpsServer::with(&[("IDLE_TIMEOUT", "1s")]);
    let mut silent = server.connect_in_clear();
    assert_eq!(silent.stream.read(&mut [0]).unwrap(), 0);
    let closed = "release_server_connections_closed_total{reason=\"idle\"}";
    assert_eq!(server.metric(closed), 1);
    let failed = "release_server_tls_handshakes_total{outcome=\"failed\"}";
    assert_eq!(server.metric(failed), 0);
}

/// rustls' client cannot ask for it. Without openssl the test prints that and passes, unless
/// `RELEASE_SERVER_REQUIRE_ALL` is set.
#[test]
fn renegotiation_is_refused() {
    let server = HttpsServer::start();
    let address = format!("127.0.0.1:{}", server.server.port);
    let mut command = Command::new("openssl");
    command.args(["s_client", "-tls1_2", "-connect", &address]);
    let streams = command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut client = match streams.stdout(Stdio::null()).spawn() {
        Ok(client) => client,
        Err(error) => {
            let is_required = std::env::var_os("RELEASE_SERVER_REQUIRE_ALL").is_some();
            assert!(!is_required, "openssl cannot be started: {error}");
            eprintln!("skipped: openssl cannot be started: {error}");
            return;
        }
    };
    // The client's command for it, on a line of its own.
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"R\n").unwrap();
    let mut errors = String::new();
    let mut stderr = client.stderr.take().unwrap();
    stderr.read_to_string(&mut errors).unwrap();
    drop(input);
    assert!(!client.wait().unwrap().success());
    assert!(errors.contains("no renegotiation"), "{errors}");
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_thousand_half_handshakes_hold_little_and_delay_nobody() {
    let server = HttpsServer::start();
    let hello = hello(&server);
    assert_eq!(server.get("/healthz").status, 200);
    let before = server.server.own_kib();
    let open = |bytes: &[u8]| {
        let mut connection = server.connect_in_clear();
        connection.send(bytes);
        connection
    };
    // Half of them stop in the middle of the first message, half before their second.
    let waiting: Vec<Connection> = (0..1000)
        .map(|number| {
            open(if number % 2 == 0 {
                &hello[..100]
            } else {
                &hello
            })
        })
        .collect();
    for connection in waiting.iter().skip(1).step_by(2) {
        until(|| {
            connection
                .stream
                .peek(&mut [0; 1])
                .is_ok_and(|length| length > 0)
                .then_some(())
        });
    }
    assert_eq!(server.get("/latest").status, 200);
    let growth = server.server.own_kib().saturating_sub(before);
    assert!(
        growth <= 16 * 1024,
        "1,000 half handshakes hold {growth} KiB"
    );
}
