//! The log and the metrics: a line and a count for every request, and no token in either.

use crate::support::{TOKEN, TestServer, command, until};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;

#[test]
fn every_request_is_a_line_with_all_its_fields() {
    let server = TestServer::start();
    let headers = "X-Request-Id: given-id-1\r\n";
    let answer = server.request("GET", "/latest?token=secret", headers, b"");
    assert_eq!(answer.header("x-request-id"), "given-id-1");
    let line = server.wait_for_line(|line| line["request_id"] == "given-id-1");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/latest");
    assert_eq!(line["status"], 200);
    assert_eq!(line["bytes"], answer.body.len());
    assert!(line["duration_ms"].as_f64().unwrap() >= 0.0);
    assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    let timestamp = line["timestamp"].as_str().unwrap();
    assert_eq!(
        (timestamp.len(), &timestamp[10..11], &timestamp[23..]),
        (24, "T", "Z")
    );
    for given in ["", "two words", "a\tb", &"x".repeat(129)] {
        let headers = format!("X-Request-Id: {given}\r\n");
        let answer = server.request("GET", "/healthz", &headers, b"");
        assert_ne!(answer.header("x-request-id"), given);
    }
    assert_eq!(server.put("a.zip", b"content").status, 201);
    let line = server.wait_for_line(|line| line["message"] == "published");
    assert_eq!(
        (&line["package"], &line["size"]),
        (&"a.zip".into(), &7.into())
    );
    assert_eq!(server.write("DELETE", "/assets/a.zip", "", b"").status, 204);
    server.wait_for_line(|line| line["message"] == "deleted" && line["package"] == "a.zip");
    until(|| (server.requests().len() == 7).then_some(()));
}

#[test]
fn refused_and_broken_requests_are_lines_too() {
    let server = TestServer::start();
    let mut connection = server.connect();
    connection.send(b"nonsense\r\n\r\n");
    assert_eq!(connection.response("GET").status, 400);
    server.wait_for_line(|line| line["status"] == 400 && line["method"] == "-");
    assert_eq!(server.request("PUT", "/assets/a.zip", "", b"1").status, 401);
    server.wait_for_line(|line| line["status"] == 401 && line["path"] == "/assets/a.zip");
    // Half a head, and no more.
    let mut connection = server.connect();
    connection.send(b"GET /latest HTTP/1.1\r\nHos");
    connection.finish_sending();
    connection
        .response("GET")
        .assert_error(400, "before the head was complete");
    until(|| (server.requests().len() == 3).then_some(()));
    let mut connection = server.connect();
    let head = format!(
        "PUT /assets/b.zip HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\nAuthorization: Bearer \
            {TOKEN}\r\n\r\n"
    );
    connection.send(head.as_bytes());
    drop(connection);
    server.wait_for_line(|line| line["status"] == 400 && line["path"] == "/assets/b.zip");
}

#[test]
fn no_line_holds_a_token_and_none_can_be_forged() {
    let server = TestServer::with(&[("LOG_LEVEL", "trace")]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    let foreign = "Authorization: Bearer somebody-elses-token\r\n";
    let path = "/assets/%0a%7B%22level%22%3A%22FORGED%22%7D\"},{\"level\":\"FORGED\"";
    assert_eq!(server.request("GET", path, foreign, b"").status, 404);
    let wrong = "Authorization: Bearer a-wrong-token\r\n";
    assert_eq!(
        server
            .request("DELETE", "/assets/a.zip?t=query-token", wrong, b"")
            .status,
        401
    );
    until(|| (server.requests().len() == 3).then_some(()));
    for line in server.log() {
        let text = line.to_string();
        for token in [TOKEN, "somebody-elses", "a-wrong", "query-token"] {
            assert!(!text.contains(token), "{text}");
        }
        assert_ne!(line["level"], "FORGED");
    }
}

#[test]
fn behind_a_trusted_proxy_a_line_names_the_client() {
    let cases = [
        ("X-Forwarded-For: 203.0.113.7\r\n", Some("203.0.113.7")),
        (
            "X-Forwarded-For: 10.0.0.1, 203.0.113.7\r\n",
            Some("203.0.113.7"),
        ),
        (
            "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: [2001:db8::1]:4711\r\n",
            Some("2001:db8::1"),
        ),
        ("X-Forwarded-For: 203.0.113.7, \"forged\r\n", None),
        ("", None),
    ];
    for trusted in ["true", "false"] {
        let server = TestServer::with(&[("TRUST_FORWARDED", trusted)]);
        for (number, (header, client)) in cases.iter().enumerate() {
            let path = format!("/{number}");
            server.request("GET", &path, header, b"");
            let line = server.wait_for_line(|line| line["path"] == path);
            let wanted = client.filter(|_| trusted == "true");
            assert_eq!(
                line.get("client").and_then(|c| c.as_str()),
                wanted,
                "{line}"
            );
            assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
        }
    }
}

#[test]
fn at_a_terminal_a_line_is_text_that_no_client_can_break() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = command()
        .envs([("AUTH_TOKEN", TOKEN), ("PORT", "0"), ("HOST", "127.0.0.1")])
        .env("STORAGE_PATH", directory.path())
        .env("LOG_FORMAT", "text")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening = lines.next().unwrap().unwrap();
    let address = listening.split(" address=").nth(1).unwrap();
    let address = address.split(' ').next().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    let head =
        "GET /a\"b%20c HTTP/1.1\r\nHost: a\r\nX-Request-Id: an-id\r\nConnection: close\r\n\r\n";
    client.write_all(head.as_bytes()).unwrap();
    let request = lines.next().unwrap().unwrap();
    let fields = " INFO  request method=GET path=\"/a\\\"b%20c\" status=404 ";
    assert!(request.contains(fields), "{request}");
    assert!(request.ends_with(" request_id=an-id"), "{request}");
    child.kill().unwrap();
    child.wait().unwrap();
}
