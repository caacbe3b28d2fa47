//! The base of URLs in answers: Host, a trusted proxy's fields, or the socket's own address.

use crate::support::{TestServer, tls};

/// The URL of the only package, for a request with these headers.
fn url(server: &TestServer, headers: &str) -> String {
    let answer = server.request("GET", "/latest", headers, b"");
    assert_eq!(answer.status, 200, "{headers}: {answer:?}");
    let url = &answer.json()["assets"][0]["browser_download_url"];
    url.as_str().unwrap().to_owned()
}

const FORWARDED: &str = "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n\
                         X-Forwarded-Prefix: /x\r\n";

#[test]
fn forwarded_fields_count_only_if_they_are_trusted() {
    let server = TestServer::start();
    server.put("a.zip", b"1");
    let direct = format!("{}/assets/a.zip", tls::base());
    assert_eq!(url(&server, FORWARDED), direct);
    let malformed = "X-Forwarded-Host: a b\r\nX-Forwarded-Proto: ftp\r\n";
    assert_eq!(url(&server, malformed), direct);
    let server = TestServer::with(&[("TRUST_FORWARDED", "true")]);
    server.put("a.zip", b"1");
    let trusted = "https://evil.example/x/assets/a.zip";
    assert_eq!(url(&server, FORWARDED), trusted);
}

#[test]
fn a_malformed_field_of_a_trusted_proxy_is_refused_by_its_name() {
    let server = TestServer::with(&[("TRUST_FORWARDED", "true")]);
    for (name, values) in [
        ("X-Forwarded-Proto", &["ftp", "HTTPS", "https:"][..]),
        ("X-Forwarded-Host", &["a b", "a/b", "user@a", "a:99999"]),
        ("X-Forwarded-Prefix", &["x", "//x", "/a b", "/a?b", "/%2"]),
    ] {
        for value in values {
            let headers = format!("{name}: {value}\r\n");
            let answer = server.request("GET", "/latest", &headers, b"");
            assert_eq!(answer.status, 400, "{headers}");
            answer.assert_error(400, name);
        }
    }
}

#[test]
fn without_a_host_the_base_is_the_servers_own_address() {
    let server = TestServer::start();
    server.put("a.zip", b"1");
    let mut connection = server.connect();
    connection.send(b"GET /latest HTTP/1.0\r\n\r\n");
    let latest = connection.response("GET").json();
    let url = format!("{}/assets/a.zip", server.url());
    assert_eq!(latest["assets"][0]["browser_download_url"], url);
}
