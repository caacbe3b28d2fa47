//! GitHub's API for writing: the calls that map to a directory, and those that are refused with a
//! reason.

use crate::support::{TOKEN, TestServer, hex, tls};
use serde_json::{Value, json};

const API: &str = "/repos/github/spec-kit/releases";

fn create(server: &TestServer, release: &Value) -> crate::support::Response {
    let body = release.to_string();
    server.write(
        "POST",
        API,
        "Content-Type: application/json\r\n",
        body.as_bytes(),
    )
}

/// A release script creates the release, uploads to the returned URL, reads the release and deletes
/// it.
#[test]
fn a_release_is_made_filled_and_emptied() {
    let server = TestServer::start();
    let release = create(
        &server,
        &json!({"tag_name": "v1.0.0", "name": "One", "draft": false}),
    );
    assert_eq!(release.status, 201);
    let release = release.json();
    assert_eq!(release["tag_name"], "v1.0.0");
    assert_eq!(release["assets"], json!([]));
    assert_eq!(release["published_at"], "1970-01-01T00:00:00Z");
    assert_eq!(
        server.get(API).json(),
        json!([]),
        "nothing is stored for it"
    );
    let upload = release["upload_url"].as_str().unwrap();
    let upload = upload
        .strip_prefix(&tls::base())
        .unwrap()
        .replace("{?name,label}", "");
    let path = format!("{upload}?name=tool-v1.0.0.zip&label=");
    let uploaded = server.write(
        "POST",
        &path,
        "Content-Type: application/zip\r\n",
        b"content",
    );
    assert_eq!(uploaded.status, 201);
    let asset = uploaded.json();
    assert_eq!(asset["digest"], format!("sha256:{}", hex(b"content")));
    assert_eq!(asset["state"], "uploaded");
    let found = server.get(&format!("{API}/tags/v1.0.0")).json();
    assert_eq!(found["id"], release["id"]);
    assert_eq!(found["assets"], json!([asset]));
    server
        .write("POST", &path, "", b"other")
        .assert_error(409, "exists already");
    let again = create(
        &server,
        &json!({"tag_name": "1.0.0", "draft": null, "prerelease": false}),
    );
    assert_eq!(again.status, 200);
    assert_eq!(again.json()["assets"], json!([asset]));
    let by_id = format!("{API}/assets/{}", asset["id"]);
    assert_eq!(server.write("DELETE", &by_id, "", b"").status, 204);
    server
        .write("DELETE", &by_id, "", b"")
        .assert_error(404, "Not Found");
    assert_eq!(server.stored(), [""; 0]);
}

#[test]
fn both_schemes_are_taken_and_no_token_is_not() {
    let server = TestServer::start();
    for scheme in ["Bearer", "bearer", "token", "Token"] {
        let header = format!("Authorization: {scheme} {TOKEN}\r\n");
        let answer = server.request("POST", API, &header, br#"{"tag_name":"v1.0.0"}"#);
        assert_eq!(answer.status, 201, "{scheme}");
    }
    for header in [
        "",
        "Authorization: token wrong\r\n",
        "Authorization: Basic eDp5\r\n",
    ] {
        for (method, path) in [
            ("POST", API.to_owned()),
            ("POST", format!("{API}/1/assets?name=a.zip")),
            ("DELETE", format!("{API}/assets/1")),
            ("DELETE", format!("{API}/1")),
            ("PATCH", format!("{API}/1")),
        ] {
            let answer = server.request(method, &path, header, b"");
            assert_eq!(answer.status, 401, "{method} {path} {header}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

#[test]
fn unsupported_calls_are_refused() {
    let server = TestServer::start();
    for (release, words) in [
        (json!({}), "'tag_name'"),
        (json!({"tag_name": 1}), "'tag_name'"),
        (json!({"tag_name": ""}), "not a version"),
        (json!({"tag_name": "nightly"}), "'nightly' is not a version"),
        (json!({"tag_name": "release-v1.0.0"}), "not a version"),
        (
            json!({"tag_name": "v1.0.0", "draft": true}),
            "Drafts are not",
        ),
        (json!({"tag_name": "v1.0.0", "draft": 1}), "'draft'"),
        (
            json!({"tag_name": "v1.0.0", "prerelease": true}),
            "cannot be a pre-release",
        ),
    ] {
        create(&server, &release).assert_error(422, words);
    }
    for body in ["", "{", "[]", "null", "\"v1.0.0\""] {
        let answer = server.write("POST", API, "", body.as_bytes());
        answer.assert_error(400, "not a JSON object");
    }
    let long = format!(
        "{{\"tag_name\":\"v1.0.0\",\"body\":\"{}\"}}",
        "x".repeat(300_000)
    );
    server
        .write("POST", API, "", long.as_bytes())
        .assert_error(413, "bytes");
    let chunked = format!(
        "POST {API} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
        long.len()
    );
    let mut connection = server.connect();
    connection.send(chunked.as_bytes());
    connection.response("POST").assert_error(413, "bytes");
    let prerelease = json!({"tag_name": "v1.0.0-rc.1", "prerelease": true});
    assert_eq!(create(&server, &prerelease).json()["prerelease"], true);
    for (method, path) in [("PATCH", "/1"), ("DELETE", "/1"), ("PATCH", "/assets/1")] {
        let answer = server.write(method, &format!("{API}{path}"), "", b"");
        answer.assert_error(422, "cannot be");
    }
}

#[test]
fn an_upload_belongs_to_the_release_of_its_name() {
    let server = TestServer::start();
    let id = create(&server, &json!({"tag_name": "v1.0.0"})).json()["id"].clone();
    for (query, status, words) in [
        ("", 422, "'name' is missing"),
        ("name=", 422, "'name' is missing"),
        (
            "name=checksums.txt",
            422,
            "belongs to the release 'unversioned'",
        ),
        (
            "name=tool-v2.0.0.zip",
            422,
            "belongs to the release 'v2.0.0'",
        ),
        ("name=tool-v1.0.0.zip&label=Tool", 422, "Labels"),
        ("name=.tool-v1.0.0.zip", 400, "not accepted"),
        ("name=a%2Ftool-v1.0.0.zip", 400, "not accepted"),
        ("name=tool-v1.0.0.zip.sha256", 400, "not accepted"),
    ] {
        let answer = server.write("POST", &format!("{API}/{id}/assets?{query}"), "", b"x");
        answer.assert_error(status, words);
    }
    let path = format!("{API}/{id}/assets?name=a%20b+c%C3%A4-1.0.0.zip");
    let stated = format!("X-Checksum-Sha256: {}\r\n", hex(b"y"));
    server
        .write("POST", &path, &stated, b"x")
        .assert_error(400, "SHA-256");
    assert_eq!(server.stored(), [""; 0]);
    assert_eq!(server.write("POST", &path, "", b"x").status, 201);
    assert_eq!(server.listed(), ["a b cä-1.0.0.zip"]);
}
