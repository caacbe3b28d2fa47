//! Publishing, listing, downloading, deleting: the main job, and everything that is refused.

use crate::harness::{FORM_TYPE, TestServer, form, noise};
use sha2::{Digest, Sha256};

fn hex(content: &[u8]) -> String {
    release_server::http::digest::Sha256::new(Sha256::digest(content)).hex()
}

#[test]
fn what_is_published_is_listed_downloaded_and_deleted() {
    let server = TestServer::start();
    let content = noise(1, 100_000);
    let published = server.upload("a.zip", &content);
    assert_eq!(published.status, 200);
    let metadata = published.json();
    assert_eq!(metadata["name"], "a.zip");
    assert_eq!(metadata["size"], 100_000);
    assert_eq!(metadata["sha256"], hex(&content));
    assert_eq!(metadata["download_url"], "http://test/assets/a.zip");
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
    assert_eq!(std::fs::read_dir(server.storage()).unwrap().count(), 0);
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
    assert_eq!(
        server.get("/assets/a.zip.sha256").text(),
        format!("{}  a.zip\n", hex(b"three"))
    );
}
