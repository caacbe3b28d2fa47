//! Answers of the real binary, checked against the contract: the tests provoke every documented
//! status of every operation.
//!
//! Invariants: an undocumented status, media type, header or property fails, and so does a missing
//! required one. A documented status that no test provokes fails as well, except 500, which would
//! need a broken disk.

use super::catalogs::catalogs;
use super::document::filled_in;
use super::forbidden;
use super::releases::{REPOSITORY, read_releases, upload_of, write_releases};
use super::schema::{Contract, statuses};
use crate::support::{Connection, FORM_TYPE, Response, TOKEN, TestServer, form, until};
use release_server::app::router;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An operation and a status.
type Pair = (String, String, u16);

/// Sends requests and checks each answer against the contract.
pub struct Asker<'s> {
    pub server: &'s TestServer,
    contract: Contract,
    seen: BTreeSet<Pair>,
}

impl<'s> Asker<'s> {
    fn new(server: &'s TestServer) -> Self {
        Self {
            server,
            contract: Contract::load(),
            seen: BTreeSet::new(),
        }
    }

    /// Every operation: method, the path as documented, and an example of that path.
    fn operations(&self) -> Vec<(String, String, String)> {
        self.contract
            .operations()
            .map(|(path, method, _)| (method, path.to_owned(), filled_in(path)))
            .collect()
    }

    /// Asks with the token, expects a status and checks the answer.
    pub fn ask(&mut self, status: u16, request: &str, headers: &str, body: &[u8]) -> Response {
        let (method, target) = request.split_once(' ').unwrap();
        let answer = if method == "HEAD" {
            let mut connection = self.server.connect();
            let head =
                format!("{request} HTTP/1.1\r\nHost: test\r\n{headers}Connection: close\r\n\r\n");
            connection.send(head.as_bytes());
            let answer = connection.response(method);
            connection.assert_closed();
            answer
        } else {
            self.server.write(method, target, headers, body)
        };
        self.check(status, request, &answer);
        answer
    }

    /// Sends exactly these bytes, expects a status and checks the answer.
    pub fn send(&mut self, status: u16, request: &str, bytes: &str) {
        let mut connection = self.server.connect();
        connection.send(bytes.as_bytes());
        let (method, _) = request.split_once(' ').unwrap();
        let answer = connection.response(method);
        self.check(status, request, &answer);
    }

    /// Checks the answer to a request such as `GET /latest`.
    pub fn check(&mut self, status: u16, request: &str, answer: &Response) {
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        let (method, target) = request.split_once(' ').unwrap();
        let path = pattern_of(target);
        let documented = self
            .contract
            .response(method, path, status)
            .unwrap_or_else(|| panic!("{status} is not documented for {method} {path}"));
        let with_body = method != "HEAD";
        self.contract
            .headers_fit(documented, answer)
            .and_then(|()| self.contract.content_fits(documented, with_body, answer))
            .unwrap_or_else(|why| panic!("{request}, {status}: {why}: {answer:?}"));
        self.seen
            .insert((method.to_owned(), path.to_owned(), status));
    }

    /// Operations and statuses that are documented and have not been seen.
    fn unseen(&self) -> Vec<Pair> {
        let of_operation = |(path, method, operation): (&str, String, _)| {
            let statuses = statuses(operation).into_iter();
            let path = path.to_owned();
            statuses.map(move |status| (method.clone(), path.clone(), status))
        };
        self.contract
            .operations()
            .flat_map(of_operation)
            .filter(|pair| !self.seen.contains(pair))
            .collect()
    }
}

/// The path as documented.
fn pattern_of(target: &str) -> &'static str {
    let path = target.split('?').next().unwrap_or_default();
    let route = router::route(path).unwrap_or_else(|| panic!("{path} is not routed"));
    route.endpoint.pattern()
}

#[test]
fn every_documented_answer_is_given_as_documented() {
    let limits = [("MAX_UPLOAD_SIZE", "1000"), ("MAX_PACKAGES", "3")];
    let (server, _tokens) = forbidden::server(&limits);
    let unlimited = TestServer::with(&[("MAX_UPLOAD_SIZE", "0")]);
    let mut asker = Asker::new(&unlimited);
    // With three quarters of its connections open, a server waits 10 s for a body instead of 60 s.
    let crowded = TestServer::with(&[("MAX_CONNECTIONS", "256")]);
    let _crowd: Vec<_> = (0..192).map(|_| crowded.connect()).collect();
    until(|| (crowded.metric("release_server_connections_open") > 192).then_some(()));
    asker.server = &crowded;
    let late = begin_and_fall_silent(&asker);
    asker.server = &unlimited;
    too_large_for_the_disk(&mut asker);
    asker.server = &server;
    let empty = asker.ask(200, "GET /latest", "", b"").json();
    assert_eq!(empty["assets"], json!([]));
    for method in ["GET", "HEAD"] {
        asker.ask(404, &format!("{method} {REPOSITORY}/latest"), "", b"");
        let page = "/github/spec-kit/releases/latest";
        asker.ask(404, &format!("{method} {page}"), "", b"");
    }
    catalogs(&mut asker);
    publish_and_delete(&mut asker);
    read(&mut asker);
    read_releases(&mut asker);
    write_releases(&mut asker);
    refused_heads(&mut asker);
    unknown_paths_and_methods(&asker);
    std::fs::remove_dir_all(server.storage()).unwrap();
    without_storage(&mut asker);
    for (request, mut connection, _full) in late {
        let (method, _) = request.split_once(' ').unwrap();
        let answer = connection.response(method);
        asker.check(408, &request, &answer);
    }
    let unseen = asker.unseen();
    let broken_disk = |(_, _, status): &Pair| *status == 500;
    assert!(unseen.iter().all(broken_disk), "not provoked: {unseen:?}");
}

/// An operation that was begun, its connection, and the server of half a body.
type Late = (String, Connection, Option<TestServer>);

/// Begins every operation on a connection of its own and sends only half a body, or half a head.
/// All deadlines pass at the same moment, while the rest of the test runs: a server that is full of
/// connections, here of one, gives a silent body no more time than a head.
fn begin_and_fall_silent(asker: &Asker<'_>) -> Vec<Late> {
    let begin = |(method, path, target): (String, String, String)| {
        let is_upload = method == "POST" && path.ends_with("/{id}/assets");
        let target = if is_upload {
            upload_of("late.zip")
        } else {
            target
        };
        let request = format!("{method} {target}");
        let has_body = matches!(method.as_str(), "PUT" | "POST");
        let full = has_body.then(|| TestServer::with(&[("MAX_CONNECTIONS", "1")]));
        let rest = if has_body {
            format!("{FORM_TYPE}Authorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n--")
        } else {
            String::new()
        };
        let mut connection = full.as_ref().unwrap_or(asker.server).connect();
        connection.send(format!("{request} HTTP/1.1\r\nHost: test\r\n{rest}").as_bytes());
        (request, connection, full)
    };
    asker.operations().into_iter().map(begin).collect()
}

fn too_large_for_the_disk(asker: &mut Asker<'_>) {
    let upload = format!("POST {}", upload_of("a.zip"));
    for request in ["PUT /assets/a.zip", "POST /upload", &upload] {
        let head = format!(
            "{request} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n{FORM_TYPE}\
             Content-Length: 9000000000000000000\r\n\r\n"
        );
        asker.send(507, request, &head);
    }
}

/// Leaves `a.zip` of 100 bytes.
fn publish_and_delete(asker: &mut Asker<'_>) {
    let content = [7; 100];
    let put = "PUT /assets/a.zip";
    asker.ask(201, put, "", &content);
    asker.ask(200, &format!("{put}?overwrite=on"), "", &content);
    let taken = asker.ask(409, put, "", &content).json();
    assert!(taken["sha256"].is_string(), "{taken}");
    let absent = "If-None-Match: *\r\n";
    asker.ask(412, &format!("{put}?overwrite=1"), absent, &content);
    std::fs::create_dir(asker.server.storage().join("taken.zip")).unwrap();
    let taken = asker.ask(409, "PUT /assets/taken.zip?overwrite=1", "", &content);
    assert_eq!(taken.json()["sha256"], Value::Null);
    asker.ask(201, "PUT /assets/%C3%A4%20%22.zip", "", &content);
    asker.ask(400, "PUT /assets/.hidden", "", &content);
    asker.ask(400, "PUT /assets/empty.zip", "", b"");
    asker.ask(400, put, "X-Checksum-Sha256: none\r\n", &content);
    asker.ask(413, "PUT /assets/b.zip", "", &[0; 2000]);
    asker.ask(422, &format!("{put}?overwrite=maybe"), "", &content);
    let head = format!("{put} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    asker.send(411, put, &head);

    let post = "POST /upload";
    asker.ask(200, post, FORM_TYPE, &form("b.zip", &content));
    let over = "POST /upload?overwrite=1";
    let swept = asker.ask(200, over, FORM_TYPE, &form("c.zip", &content));
    assert_eq!(swept.json()["removed"].as_array().unwrap().len(), 1);
    asker.ask(409, post, FORM_TYPE, &form("c.zip", &content));
    let headers = format!("{FORM_TYPE}{absent}");
    asker.ask(412, over, &headers, &form("c.zip", &content));
    asker.ask(412, "DELETE /assets/c.zip", absent, b"");
    asker.ask(400, post, FORM_TYPE, b"--BOUNDARY");
    asker.ask(413, post, FORM_TYPE, &form("d.zip", &[0; 2000]));
    asker.ask(415, post, "Content-Type: text/plain\r\n", &content);
    asker.ask(422, post, FORM_TYPE, b"--BOUNDARY--\r\n");

    asker.ask(204, "DELETE /assets/c.zip", "", b"");
    asker.ask(404, "DELETE /assets/c.zip", "", b"");
    // Retention removed it.
    asker.ask(201, put, "", &content);
    for request in [put, post, "DELETE /assets/a.zip"] {
        let (method, target) = request.split_once(' ').unwrap();
        let answer = asker.server.request(method, target, "", b"");
        asker.check(401, request, &answer);
        forbidden::check(asker, request);
    }
}

fn read(asker: &mut Asker<'_>) {
    for method in ["GET", "HEAD"] {
        asker.ask(303, &format!("{method} /"), "", b"");
        for path in ["/latest/", "/packages/"] {
            asker.ask(308, &format!("{method} {path}"), "", b"");
        }
        for path in ["/healthz", "/health", "/readyz", "/metrics"] {
            asker.ask(200, &format!("{method} {path}"), "", b"");
        }
        let compared = [
            "/latest",
            "/packages",
            "/packages?format=json",
            "/packages?q=a&per_page=1",
            "/releases.atom",
            "/api/v3",
            "/assets/a.zip",
            "/openapi.yaml",
            "/openapi.json",
        ];
        for target in compared {
            let request = format!("{method} {target}");
            let found = asker.ask(200, &request, "", b"");
            let same = format!("If-None-Match: {}\r\n", found.header("etag"));
            asker.ask(304, &request, &same, b"");
            asker.ask(412, &request, "If-Match: \"other\"\r\n", b"");
        }
        let preferred = "Accept: application/json\r\n";
        asker.ask(200, &format!("{method} /packages"), preferred, b"");
        asker.ask(422, &format!("{method} /packages?format=xml"), "", b"");
        asker.ask(200, &format!("{method} /assets/a.zip.sha256"), "", b"");
        for name in ["none.zip", "none.zip.sha256", ".hidden", "%FF"] {
            asker.ask(404, &format!("{method} /assets/{name}"), "", b"");
        }
    }
    let part = asker.ask(206, "GET /assets/a.zip", "Range: bytes=90-\r\n", b"");
    assert_eq!(part.header("content-range"), "bytes 90-99/100");
    asker.ask(416, "GET /assets/a.zip", "Range: bytes=100-\r\n", b"");
}

/// Heads that every operation refuses.
fn refused_heads(asker: &mut Asker<'_>) {
    let long = "x".repeat(20_000);
    for (method, _, target) in asker.operations() {
        let request = format!("{method} {target}");
        let two_hosts = format!("{request} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
        asker.send(400, &request, &two_hosts);
        let too_long = format!("{request} HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\n\r\n");
        asker.send(431, &request, &too_long);
        asker.send(505, &request, &format!("{request} HTTP/2.0\r\n\r\n"));
        asker.ask(417, &request, "Expect: wonders\r\n", b"");
    }
}

/// The two answers that belong to no operation.
fn unknown_paths_and_methods(asker: &Asker<'_>) {
    let contract = &asker.contract;
    let check = |name: &str, answer: &Response| {
        let documented = contract
            .at(&format!("/components/responses/{name}"))
            .unwrap();
        assert_eq!(answer.status.to_string(), name);
        contract
            .headers_fit(documented, answer)
            .and_then(|()| contract.content_fits(documented, true, answer))
            .unwrap_or_else(|why| panic!("{name}: {why}: {answer:?}"));
    };
    for target in ["/nowhere", "/assets/", "/assets/a/b", "/upload/"] {
        check("404", &asker.server.get(target));
    }
    for (_, _, target) in asker.operations() {
        for method in ["OPTIONS", "TRACE", "MADEUP"] {
            check("405", &asker.server.request(method, &target, "", b""));
        }
    }
}

/// Without the directory, operations that need it report 503 with `Retry-After`.
fn without_storage(asker: &mut Asker<'_>) {
    for method in ["GET", "HEAD"] {
        for (known, path, target) in asker.operations() {
            let quiet = [
                "/",
                "/latest/",
                "/packages/",
                "/api/v3",
                "/repos/github/spec-kit",
                "/healthz",
                "/health",
                "/metrics",
            ];
            if known != method || quiet.contains(&target.as_str()) || path.starts_with("/openapi") {
                continue;
            }
            asker.ask(503, &format!("{method} {target}"), "", b"");
        }
        asker.ask(200, &format!("{method} /metrics"), "", b"");
    }
    asker.ask(503, "PUT /assets/a.zip", "", b"content");
    asker.ask(503, "DELETE /assets/a.zip", "", b"");
    asker.ask(503, &format!("DELETE {REPOSITORY}/assets/1"), "", b"");
    asker.ask(
        503,
        &format!("POST {REPOSITORY}"),
        "",
        br#"{"tag_name":"v1.2.3"}"#,
    );
    asker.ask(503, &format!("POST {}", upload_of("a.zip")), "", b"content");
    asker.ask(503, "POST /upload", FORM_TYPE, &form("a.zip", b"content"));
}
