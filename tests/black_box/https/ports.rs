//! What each port answers, and what URLs and headers say.

use super::HttpsServer;
use crate::support::{Connection, TOKEN};
use std::net::{SocketAddr, TcpStream};

fn request(mut connection: Connection, line: &str, headers: &str) -> crate::support::Response {
    let head = format!("{line} HTTP/1.1\r\nHost: test:8000\r\n{headers}\r\n");
    connection.send(head.as_bytes());
    connection.response(line.split(' ').next().unwrap())
}

#[test]
fn urls_say_https_and_the_policy_is_sent_where_it_is_set() {
    let server = HttpsServer::start();
    let release = server.get("/latest");
    assert_eq!(release.json()["url"], "https://test/latest");
    assert_eq!(release.try_header("strict-transport-security"), None);
    let policy = "max-age=31536000; includeSubDomains";
    let server = HttpsServer::with(&[("STRICT_TRANSPORT_SECURITY", policy)]);
    assert_eq!(
        server.get("/latest").header("strict-transport-security"),
        policy
    );
    let in_clear = request(server.connect_in_clear(), "GET /", "");
    assert_eq!(in_clear.try_header("strict-transport-security"), None);
}

#[test]
fn a_request_in_clear_to_the_https_port_is_told_so_in_clear() {
    let server = HttpsServer::start();
    for line in ["GET /latest", "PUT /assets/a.zip", "HEAD /"] {
        let mut connection = server.connect_in_clear();
        connection.send(format!("{line} HTTP/1.1\r\nHost: t\r\n\r\n").as_bytes());
        let answer = connection.response(line.split(' ').next().unwrap());
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("connection"), "close");
        if !line.starts_with("HEAD") {
            answer.assert_error(400, "This port speaks HTTPS");
        }
        connection.finish_sending();
        connection.assert_closed();
    }
}

#[test]
fn the_port_in_clear_answers_probes_and_redirects_the_rest() {
    let server = HttpsServer::with(&[("HTTP_PORT", "0")]);
    let line = server.server.wait_for_line(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("listening for HTTP in clear")
    });
    let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    let ask = |line: &str, headers: &str| {
        let connection = Connection::new(TcpStream::connect(address).unwrap());
        request(connection, line, headers)
    };
    for probe in ["/healthz", "/readyz", "/metrics", "/health"] {
        assert_eq!(ask(&format!("GET {probe}"), "").status, 200);
    }
    let port = server.server.port;
    for target in ["/latest", "/assets/a%20b.zip?x=1&y", "/no/such/path", "/?"] {
        for method in ["GET", "HEAD"] {
            let answer = ask(&format!("{method} {target}"), "");
            assert_eq!(answer.status, 301);
            let location = format!("https://test:{port}{}", target.trim_end_matches('?'));
            assert_eq!(answer.header("location"), location);
        }
    }
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    for line in ["PUT /assets/a.zip", "POST /upload", "DELETE /assets/a.zip"] {
        let headers = format!("{token}Content-Length: 0\r\n");
        ask(line, &headers).assert_error(403, "a token that was sent over plain HTTP");
    }
    assert_eq!(server.server.stored(), [""; 0]);
}

#[test]
fn a_redirect_follows_the_public_url() {
    let public = "https://releases.example.org/specs";
    let server = HttpsServer::with(&[("HTTP_PORT", "0"), ("PUBLIC_URL", public)]);
    let line = server.server.wait_for_line(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("listening for HTTP in clear")
    });
    let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    let connection = Connection::new(TcpStream::connect(address).unwrap());
    let answer = request(connection, "GET /latest?a=b", "");
    let location = "https://releases.example.org/specs/latest?a=b";
    assert_eq!((answer.status, answer.header("location")), (301, location));
}
