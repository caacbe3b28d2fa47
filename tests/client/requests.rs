//! Requests and responses over real sockets.

use crate::certificates::Authority;
use crate::one_server::OneServer;
use release_server::client::{Body, Client, FailureKind, Method, Options, Request};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::time::Duration;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\netag: \"x\"\r\n\r\nhello";

fn client() -> Client {
    Client::new(&Options::default()).unwrap()
}

fn get(url: &str) -> Request<'_> {
    Request {
        method: Method::Get,
        url,
        headers: &[],
        body: Body::Empty,
    }
}

fn failure_of(client: &Client, url: &str) -> (FailureKind, String) {
    let failure = client.send(&get(url)).unwrap_err();
    (failure.kind, failure.why)
}

#[test]
fn a_response_is_its_status_fields_and_body_on_a_kept_connection() {
    let server = OneServer::start(OK);
    let client = client();
    for _ in 0..3 {
        let response = client.send(&get(&server.url("/a%2Fb?x=%20y"))).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("ETag"), Some("\"x\""));
        assert_eq!(response.read_to_end(5).unwrap(), b"hello");
    }
    let head = server.received.recv().unwrap().head;
    assert!(head.starts_with("GET /a%2Fb?x=%20y HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("accept-encoding"), "{head}");
    assert!(head.contains(&format!("host: {}\r\n", server.address)));
}

#[test]
fn any_status_is_a_response_and_no_redirect_is_followed() {
    let server = OneServer::start(
        b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    );
    let response = client().send(&get(&server.url("/"))).unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(response.header("location"), Some("http://127.0.0.1:1/"));
}

#[test]
fn a_file_is_sent_from_its_beginning_and_as_long_as_announced() {
    let server = OneServer::start(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    assert_ne!(file.stream_position().unwrap(), 0);
    let put = |file: &File, length| {
        client().send(&Request {
            method: Method::Put,
            url: &server.url("/x"),
            headers: &[("expect", "100-continue".to_owned())],
            body: Body::File { file, length },
        })
    };
    assert_eq!(put(&file, 1_000_000).unwrap().status(), 200);
    assert_eq!(server.received.recv().unwrap().body, content[..1_000_000]);
    let failure = put(&file, 2_000_000).unwrap_err();
    assert!(failure.why.contains("shorter than announced"), "{failure}");
}

#[test]
fn a_refusal_before_the_body_is_the_response() {
    let server = OneServer::start(b"HTTP/1.1 412 No\r\ncontent-length: 0\r\n\r\n");
    let file = tempfile::tempfile().unwrap();
    file.set_len(50 << 20).unwrap();
    let response = client().send(&Request {
        method: Method::Put,
        url: &server.url("/x"),
        headers: &[("expect", "100-continue".to_owned())],
        body: Body::File {
            file: &file,
            length: 50 << 20,
        },
    });
    assert_eq!(response.unwrap().status(), 412);
}

#[test]
fn empty_bodies_have_a_length_where_their_method_has_a_body() {
    let server = OneServer::start(OK);
    for (method, body) in [
        (Method::Put, Body::Bytes(b"")),
        (Method::Post, Body::Bytes(b"ab")),
    ] {
        let request = Request {
            method,
            url: &server.url("/"),
            headers: &[],
            body,
        };
        client().send(&request).unwrap();
    }
    assert!(
        server
            .received
            .recv()
            .unwrap()
            .head
            .contains("content-length: 0\r\n")
    );
    assert_eq!(server.received.recv().unwrap().body, b"ab");
}

#[test]
fn a_body_over_its_limit_or_cut_short_is_a_failure() {
    let server = OneServer::start(OK);
    let response = client().send(&get(&server.url("/"))).unwrap();
    let failure = response.read_to_end(4).unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLong);
    assert!(
        failure.why.ends_with(": the answer is over 4 bytes"),
        "{failure}"
    );

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 1024]);
        let part = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
        connection.write_all(part).unwrap();
    });
    let response = client().send(&get(&url)).unwrap();
    server.join().unwrap();
    assert_eq!(
        response.read_to_end(10).unwrap_err().kind,
        FailureKind::Broken
    );
}

#[test]
fn what_cannot_be_reached_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (kind, why) = failure_of(&client(), &format!("http://{address}/secret"));
    assert_eq!(kind, FailureKind::Unreachable);
    assert!(
        why.starts_with(&format!("{address}: ")) && !why.contains("secret"),
        "{why}"
    );

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options {
        ca_file: None,
        total_time_max: Some(Duration::from_millis(50)),
    };
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let (kind, _) = failure_of(&Client::new(&options).unwrap(), &url);
    assert_eq!(kind, FailureKind::TimedOut);

    let other = OneServer::start(b"this is not HTTP\r\n\r\n");
    let (kind, _) = failure_of(&client(), &other.url("/"));
    assert_eq!(kind, FailureKind::Broken);
}

#[test]
fn a_server_is_trusted_by_the_authorities_of_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let (authority, other) = (Authority::new(), Authority::new());
    let server = OneServer::start_tls(OK, &authority);
    let with_file = |pem: &str| {
        std::fs::write(&path, pem).unwrap();
        let ca_file = Some(path.as_path());
        Client::new(&Options {
            ca_file,
            total_time_max: None,
        })
    };
    let trusting = with_file(&format!("{}{}", other.pem(), authority.pem())).unwrap();
    for _ in 0..2 {
        let response = trusting.send(&get(&server.https_url("/"))).unwrap();
        assert_eq!(response.read_to_end(100).unwrap(), b"hello");
    }
    for wary in [client(), with_file(&other.pem()).unwrap()] {
        let (kind, why) = failure_of(&wary, &server.https_url("/"));
        assert_eq!(kind, FailureKind::Tls, "{why}");
        assert!(why.contains("invalid peer certificate"), "{why}");
    }
    for (pem, ending) in [
        ("", "has no certificate in PEM form"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be a root: ",
        ),
    ] {
        let why = with_file(pem).unwrap_err();
        assert!(why.contains(ending), "{why}");
    }
    let files = authority.pair().write(folder.path());
    let key_alone = Client::new(&Options {
        ca_file: Some(&files.key),
        total_time_max: None,
    });
    assert!(
        key_alone
            .unwrap_err()
            .ends_with("has no certificate in PEM form")
    );
    std::fs::remove_file(&path).unwrap();
    let missing = Client::new(&Options {
        ca_file: Some(&path),
        total_time_max: None,
    });
    assert!(missing.unwrap_err().contains("ca.pem: cannot be read: "));
}
