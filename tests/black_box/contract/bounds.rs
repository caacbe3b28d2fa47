//! Bounds on what a client names, and the small promises of sections 1 and 2 of docs/contract.md
//! that have no list of their own.

use crate::support::{FORM_TYPE, TestServer, form, tls};

#[test]
fn names_beyond_their_bounds_are_refused() {
    let server = TestServer::start();
    assert_eq!(server.put("a-v1.0.0.zip", b"x").status, 201);
    for (bytes, status) in [(100, 200), (101, 404)] {
        let name = "o".repeat(bytes);
        for path in [
            format!("/repos/{name}/r/releases"),
            format!("/repos/o/{name}/releases"),
        ] {
            assert_eq!(server.get(&path).status, status, "{path}");
        }
        let file = format!("/{name}/r/releases/download/v1.0.0/a-v1.0.0.zip");
        assert_eq!(server.get(&file).status, status, "{file}");
    }
    for (bytes, status) in [(255, 200), (256, 400)] {
        let host = "h".repeat(bytes);
        let mut connection = server.connect();
        connection.send(format!("GET /latest HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        let answer = connection.response("GET");
        assert_eq!(answer.status, status, "{bytes}");
        assert_eq!(answer.text().contains(&host), status == 200);
    }
    for (bytes, status) in [(240, 302), (241, 404)] {
        let pattern = "*".repeat(bytes);
        assert_eq!(
            server.get(&format!("/latest/download/{pattern}")).status,
            status
        );
    }
}

#[test]
fn a_prefix_of_a_proxy_is_bounded() {
    let server = TestServer::with(&[("TRUST_FORWARDED", "true")]);
    for (bytes, status) in [(254, 200), (255, 400)] {
        let prefix = format!("X-Forwarded-Prefix: /{}\r\n", "p".repeat(bytes));
        assert_eq!(
            server.request("GET", "/latest", &prefix, b"").status,
            status
        );
    }
}

#[test]
fn redirects_keep_the_query_and_the_prefix() {
    let server = TestServer::with(&[("PUBLIC_URL", "https://example.org/p")]);
    for (path, status, location) in [
        ("/", 303, "/p/packages"),
        ("/?q=x&per_page=2", 303, "/p/packages?q=x&per_page=2"),
        ("/latest/", 308, "/p/latest"),
        ("/packages/?format=json", 308, "/p/packages?format=json"),
    ] {
        let answer = server.get(path);
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, location),
            "{path}"
        );
    }
    for path in ["/latest//", "/assets/", "/packages//"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_second_part_named_file_is_refused() {
    let server = TestServer::start();
    let part = |name: &str, filename: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\nx\r\n")
    };
    let (named, bare) = (part("file", "; filename=\"a.zip\""), part("file", ""));
    for parts in [[&named, &bare], [&bare, &named]] {
        let body = format!("{}{}--b--\r\n", parts[0], parts[1]);
        let content_type = "Content-Type: multipart/form-data; boundary=b\r\n";
        let answer = server.write("POST", "/upload", content_type, body.as_bytes());
        answer.assert_error(422, "more than one file");
    }
    assert_eq!(server.get("/assets/a.zip").status, 404);
}

#[test]
fn the_servers_own_name_cannot_be_published() {
    let server = TestServer::start();
    let put = server.put("SHA256SUMS", b"x");
    put.assert_error(422, "reserved");
    let upload = server.write("POST", "/upload", FORM_TYPE, &form("SHA256SUMS", b"x"));
    upload.assert_error(422, "reserved");
    std::fs::write(server.storage().join("SHA256SUMS"), "there\n").unwrap();
    let other = TestServer::over(server.storage(), &[]);
    assert_eq!(other.get("/assets/SHA256SUMS").text(), "there\n");
}

#[test]
fn reads_are_open_to_other_origins_and_writes_are_not() {
    let server = TestServer::start();
    let put = server.put("a.zip", b"x");
    assert_eq!(put.try_header("access-control-allow-origin"), None);
    for path in [
        "/latest",
        "/packages",
        "/assets/a.zip",
        "/assets/none.zip",
        "/releases.atom",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
}

#[test]
fn a_host_reaches_the_commands_of_the_page_only_quoted() {
    let server = TestServer::start();
    assert_eq!(server.put("a-v1.0.0.zip", b"x").status, 201);
    for path in ["/packages", "/o/r/releases/tag/v1.0.0"] {
        let mut connection = server.connect();
        let head = format!("GET {path} HTTP/1.1\r\nHost: a$(id);b&'c\r\n\r\n");
        connection.send(head.as_bytes());
        let page = connection.response("GET").text();
        let base = format!("&#39;{}://a$(id)", tls::scheme());
        for line in page
            .lines()
            .filter(|line| line.contains("<code>") && line.contains("$(id)"))
        {
            let quoted = format!("{base};b&amp;&#39;\\&#39;&#39;c&#39;/");
            assert!(line.contains(&quoted), "{line}");
        }
        assert!(path != "/packages" || page.contains(&base), "{page}");
    }
}
