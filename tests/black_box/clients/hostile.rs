//! Hostile requests: absurd lengths, endless heads, unwanted bodies. Each is refused, closed and
//! forgotten. Ambiguous framing is in `smuggling/`.

use super::buffers_kib_max;
use crate::support::{TOKEN, TestServer};

/// A head with these lines after the request line.
fn head(request: &str, lines: &[&str]) -> Vec<u8> {
    let mut head = format!("{request} HTTP/1.1\r\nHost: t\r\n");
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends bytes followed by text that looks like a request; asserts a single answer, then the close.
fn assert_refused(server: &TestServer, bytes: &[u8], statuses: &[u16]) {
    let mut connection = server.connect();
    connection.send(bytes);
    connection.send(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
    let answer = connection.response("GET");
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    assert!(statuses.contains(&answer.status), "{shown}: {answer:?}");
    answer.assert_error(answer.status, "");
    assert_eq!(answer.header("connection"), "close", "{shown}");
    connection.finish_sending();
    connection.assert_closed();
}

#[test]
fn a_refused_head_request_gets_no_body() {
    let server = TestServer::start();
    let mut connection = server.connect();
    connection.send(b"HEAD /latest HTTP/1.1\r\nHost: a b\r\n\r\n");
    assert_eq!(connection.response("HEAD").status, 400);
    connection.assert_closed();
}

#[test]
fn absurd_lengths_are_refused_and_closed() {
    let mut server = TestServer::start();
    let threads = server.threads();
    let before = server.own_kib();
    let token = format!("Authorization: Bearer {TOKEN}");
    let form = "Content-Type: multipart/form-data; boundary=b";
    for length in [
        "2147483648",
        "9000000000000000",
        "9223372036854775808",
        "18446744073709551615",
        "1000000000000000000000000000000",
    ] {
        let length = format!("Content-Length: {length}");
        let put = head("PUT /assets/a.zip", &[&length, &token]);
        assert_refused(&server, &put, &[413]);
        assert_refused(&server, &head("PUT /assets/a.zip", &[&length]), &[401]);
        let post = head("POST /upload", &[&length, &token, form]);
        assert_refused(&server, &post, &[413]);
        // A length on a request that takes no body: it is answered, then closed because the body is
        // never read.
        let mut connection = server.connect();
        connection.send(&head("GET /healthz", &[&length]));
        let answer = connection.response("GET");
        assert_eq!((answer.status, answer.header("connection")), (200, "close"));
    }
    assert_eq!(server.threads(), threads);
    let growth = server.own_kib().saturating_sub(before);
    assert!(growth < buffers_kib_max(), "memory grew by {growth} KiB");
    assert_eq!(server.stored(), [""; 0]);
    server.assert_alive();
}

#[test]
fn heads_without_end_are_refused_and_cost_no_memory() {
    let mut server = TestServer::start();
    assert_eq!(server.get("/healthz").status, 200);
    let before = server.own_kib();
    let many: Vec<String> = (0..200).map(|number| format!("X-{number}: y")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_refused(&server, &head("GET /latest", &many), &[431]);
    let endless = [
        b"GET /latest HTTP/1.1\r\nX: ".to_vec(),
        vec![b'a'; 64 << 20],
    ]
    .concat();
    assert_refused(&server, &endless, &[431]);
    let endless = [b"GET /".to_vec(), vec![b'a'; 1 << 20]].concat();
    assert_refused(&server, &endless, &[431]);
    let nearly = [
        b"GET /latest HTTP/1.1\r\nHost: t\r\nX: ".to_vec(),
        vec![b'a'; 16_300],
    ]
    .concat();
    let fits = [&nearly[..], b"\r\nConnection: close\r\n\r\n"].concat();
    let mut connection = server.connect();
    connection.send(&fits);
    assert_eq!(connection.response("GET").status, 200);
    let growth = server.own_kib().saturating_sub(before);
    assert!(growth < buffers_kib_max(), "memory grew by {growth} KiB");
    server.assert_alive();
}

#[test]
fn an_unread_body_is_read_over_or_closes_the_connection() {
    let server = TestServer::start();
    let mut connection = server.connect();
    for length in [0, 1, 1000, 65_536] {
        let request = head("PUT /assets/a.zip", &[&format!("Content-Length: {length}")]);
        connection.send(&request);
        connection.send(&vec![b'x'; length]);
        assert_eq!(connection.response("PUT").status, 401);
    }
    let chunked = head("POST /upload", &["Transfer-Encoding: chunked"]);
    connection.send(&[&chunked[..], b"5\r\nhello\r\n0\r\n\r\n"].concat());
    assert_eq!(connection.response("POST").status, 401);
    connection.send(&head("GET /healthz", &[]));
    assert_eq!(connection.response("GET").status, 200);
    // More than the server drains: the client can still send the whole body, and no reset destroys
    // the answer.
    connection.send(&head("PUT /assets/a.zip", &["Content-Length: 20000000"]));
    connection.send(&vec![b'x'; 20_000_000]);
    let answer = connection.response("PUT");
    assert_eq!((answer.status, answer.header("connection")), (401, "close"));
    // The rest of a chunked body has an unknown length, so the close is announced.
    let mut connection = server.connect();
    connection.send(&[&chunked[..], b"5\r\nhel"].concat());
    let answer = connection.response("POST");
    assert_eq!((answer.status, answer.header("connection")), (401, "close"));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"content").status, 201);
    let mut connection = server.connect();
    let mut requests = Vec::new();
    for _ in 0..200 {
        requests.extend_from_slice(b"\r\n");
        requests.extend(head("GET /healthz", &[]));
        requests.extend(head("GET /assets/a.zip", &[]));
        requests.extend(head("HEAD /latest", &[]));
        requests.extend(head("PUT /assets/b.zip", &["Content-Length: 3"]));
        requests.extend_from_slice(b"abc");
    }
    connection.send(&requests);
    for _ in 0..200 {
        assert_eq!(connection.response("GET").body, b"OK\n");
        assert_eq!(connection.response("GET").body, b"content");
        assert_eq!(connection.response("HEAD").status, 200);
        assert_eq!(connection.response("PUT").status, 401);
    }
}
