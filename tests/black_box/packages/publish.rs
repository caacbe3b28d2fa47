//! The main job: publish, list, download, delete.

use crate::support::{FORM_TYPE, TOKEN, TestServer, form, hex, noise, tls};

#[test]
fn a_published_package_is_listed_downloaded_and_deleted() {
    let server = TestServer::start();
    let content = noise(1, 100_000);
    let published = server.upload("a.zip", &content);
    assert_eq!(published.status, 200);
    let metadata = published.json();
    assert_eq!(metadata["name"], "a.zip");
    assert_eq!(metadata["size"], 100_000);
    assert_eq!(metadata["sha256"], hex(&content));
    assert_eq!(
        metadata["download_url"],
        format!("{}/assets/a.zip", tls::base())
    );
    assert_eq!(metadata["removed"], serde_json::json!([]));
    assert_eq!(server.listed(), ["a.zip"]);
    let downloaded = server.get("/assets/a.zip");
    assert_eq!((downloaded.status, &downloaded.body), (200, &content));
    assert_eq!(downloaded.header("etag"), format!("\"{}\"", hex(&content)));
    let checksum = server.get("/assets/a.zip.sha256");
    assert_eq!(checksum.text(), format!("{}  a.zip\n", hex(&content)));
    assert_eq!(server.write("DELETE", "/assets/a.zip", "", b"").status, 204);
    assert_eq!(server.listed(), [""; 0]);
    server.get("/assets/a.zip").assert_error(404, "Not Found");
    assert_eq!(server.stored(), [""; 0]);
}

#[test]
fn a_name_is_taken_unless_it_may_be_replaced() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"one").status, 201);
    let again = server.upload("a.zip", b"two");
    again.assert_error(409, "'a.zip' exists already");
    assert_eq!(again.json()["sha256"], hex(b"one"));
    assert_eq!(server.get("/assets/a.zip").body, b"one");
    let form = form("a.zip", b"two");
    let replaced = server.write("POST", "/upload?overwrite=true", FORM_TYPE, &form);
    assert_eq!(replaced.status, 200);
    assert_eq!(server.get("/assets/a.zip").body, b"two");
    let replaced = server.write("PUT", "/assets/a.zip?overwrite=yes", "", b"three");
    assert_eq!(replaced.status, 200);
    let checksum = server.get("/assets/a.zip.sha256").text();
    assert_eq!(checksum, format!("{}  a.zip\n", hex(b"three")));
}

/// The `specify` CLI takes the first asset whose name matches.
fn specify(server: &TestServer, agent: &str, script: &str) -> (String, Vec<u8>) {
    let foreign_token = "Authorization: Bearer ghp_of-somebody-else\r\n";
    let release = server.request("GET", "/latest", foreign_token, b"");
    assert_eq!(release.status, 200);
    let release = release.json();
    assert_eq!(release["tag_name"], "latest");
    let wanted = format!("spec-kit-template-{agent}-{script}");
    let assets = release["assets"].as_array().unwrap();
    let matches = |name: &str| name.contains(&wanted) && name.strip_suffix(".zip").is_some();
    let asset = assets
        .iter()
        .find(|asset| matches(asset["name"].as_str().unwrap()))
        .expect("a matching asset");
    let url = asset["browser_download_url"].as_str().unwrap();
    let path = url.strip_prefix(&tls::base()).unwrap();
    let file = server.request("GET", path, foreign_token, b"");
    assert_eq!(file.status, 200);
    assert_eq!(file.body.len() as u64, asset["size"].as_u64().unwrap());
    assert_eq!(asset["digest"], format!("sha256:{}", hex(&file.body)));
    (asset["name"].as_str().unwrap().to_owned(), file.body)
}

#[test]
fn specify_is_served_a_whole_release_and_the_newer_zip() {
    let server = TestServer::start();
    let agents = ["claude", "gemini", "copilot", "cursor-agent", "qwen", "q"];
    for (seed, agent) in (1..).zip(agents) {
        for (script, offset) in [("sh", 0), ("ps", 100)] {
            let name = format!("spec-kit-template-{agent}-{script}-v2.17.1.zip");
            let content = noise(seed + offset, 9_000);
            assert_eq!(server.upload(&name, &content).status, 200);
        }
    }
    assert_eq!(server.listed().len(), 12);
    assert_eq!(specify(&server, "claude", "sh").1, noise(1, 9_000));
    assert_eq!(specify(&server, "copilot", "ps").1, noise(103, 9_000));
    let newer = "spec-kit-template-claude-sh-v2.18.0.zip";
    assert_eq!(server.upload(newer, &noise(7, 9_000)).status, 200);
    assert_eq!(specify(&server, "claude", "sh").0, newer);
    let path = format!("/assets/{newer}");
    assert_eq!(server.write("DELETE", &path, "", b"").status, 204);
    assert_eq!(specify(&server, "claude", "sh").1, noise(1, 9_000));
}

#[test]
fn a_form_is_stored_however_it_is_cut_into_pieces() {
    let server = TestServer::start();
    // Content that resembles the delimiter everywhere without being one.
    let content =
        b"--BOUNDARY\r\n--BOUNDAR\r\n-\r\r\n--BOUND\r\n\r\n--BOUNDARX--BOUNDARY--\r\r\n--";
    let body = form("a.zip", content);
    let head = format!(
        "POST /upload?overwrite=1 HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
         {FORM_TYPE}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = server.connect();
    for cut in 0..=body.len() {
        connection.send(head.as_bytes());
        connection.send(&body[..cut]);
        connection.send(&body[cut..]);
        assert_eq!(connection.response("POST").status, 200, "cut at {cut}");
        assert_eq!(server.get("/assets/a.zip").body, content, "cut at {cut}");
    }
}

#[test]
fn a_form_cut_short_at_any_byte_stores_nothing() {
    let mut server = TestServer::start();
    let body = form("a.zip", b"some content that must not be stored in part");
    let complete = body.len() - 2; // the line end behind the closing delimiter may be missing
    for length in 0..complete {
        // The client announces the whole form and closes before its end.
        let mut connection = server.connect();
        let head = |length: usize| {
            format!(
                "POST /upload HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
                 {FORM_TYPE}Content-Length: {length}\r\n\r\n"
            )
        };
        connection.send(head(body.len()).as_bytes());
        connection.send(&body[..length]);
        connection.finish_sending();
        connection
            .response("POST")
            .assert_error(400, "before the body was complete");
        // The client announces less than the form's length.
        let mut connection = server.connect();
        connection.send(head(length).as_bytes());
        connection.send(&body[..length]);
        assert_eq!(connection.response("POST").status, 400, "{length} bytes");
    }
    assert_eq!(server.stored(), [""; 0]);
    server.assert_alive();
}
