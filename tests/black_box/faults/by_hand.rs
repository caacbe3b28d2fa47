//! Changes by hand to the directory of a running server that `storage/volume.rs` does not cover.

use crate::support::{TOKEN, TestServer, hex, until};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

#[test]
fn a_folder_in_a_sidecars_place() {
    let server = TestServer::start();
    let folder = server.storage().join("a.zip.sha256");
    fs::create_dir(&folder).unwrap();
    let answer = server.put("a.zip", b"1");
    assert_eq!(
        (answer.status, answer.json()["sha256"].clone()),
        (201, hex(b"1").into())
    );
    server.wait_for_line(|line| {
        line["message"] == "the checksum file could not be written; the server tries again"
    });
    let replace = |content| server.write("PUT", "/assets/a.zip?overwrite=1", "", content);
    assert_eq!(replace(b"2").status, 200);
    assert_eq!(server.write("DELETE", "/assets/a.zip", "", b"").status, 204);
    assert_eq!(server.stored(), ["a.zip.sha256"]);
    assert_eq!(replace(b"3").status, 201);
    fs::remove_dir(&folder).unwrap();
    until(|| (fs::read_to_string(&folder).ok()? == hex(b"3")).then_some(()));
}

#[test]
fn a_sidecar_that_is_a_link_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "d".repeat(64)).unwrap();
    let server = TestServer::start();
    for name in ["found.zip", "published.zip"] {
        symlink(&secret, server.storage().join(format!("{name}.sha256"))).unwrap();
    }
    fs::write(server.storage().join("found.zip"), "1").unwrap();
    assert_eq!(server.put("published.zip", b"1").status, 201);
    for name in ["found.zip", "published.zip"] {
        let sidecar = server.storage().join(format!("{name}.sha256"));
        until(|| (fs::read_to_string(&sidecar).ok()? == hex(b"1")).then_some(()));
        let checksum = server.get(&format!("/assets/{name}.sha256")).text();
        assert_eq!(checksum, format!("{}  {name}\n", hex(b"1")));
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), "d".repeat(64));
}

#[test]
fn a_name_that_is_not_utf_8() {
    let server = TestServer::start();
    let path = server.storage().join(OsStr::from_bytes(b"\xff.zip"));
    fs::write(&path, "by hand").unwrap();
    server.wait_for_line(|line| {
        let path = line["path"].as_str().unwrap_or_default();
        line["level"] == "WARN"
            && path.ends_with("\u{fffd}.zip")
            && line["why"] == "the name is not UTF-8"
    });
    assert_eq!(server.listed(), [""; 0]);
    server.get("/assets/%FF.zip").assert_error(404, "Not Found");
    server
        .write("DELETE", "/assets/%FF.zip", "", b"")
        .assert_error(404, "Not Found");
    server
        .write("PUT", "/assets/%FF.zip", "", b"1")
        .assert_error(400, "UTF-8");
    assert_eq!(server.put("a.zip", b"1").status, 201);
    assert_eq!(fs::read_to_string(&path).unwrap(), "by hand");
}

#[test]
fn a_package_removed_by_hand() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"1").status, 201);
    fs::remove_file(server.storage().join("a.zip")).unwrap();
    server.get("/assets/a.zip").assert_error(404, "Not Found");
    let deleted = server.write("DELETE", "/assets/a.zip", "", b"");
    deleted.assert_error(404, "Not Found");
    until(|| (server.stored() == [""; 0]).then_some(()));
    assert_eq!(server.put("a.zip", b"2").status, 201);
}

#[test]
fn a_directory_removed_during_an_upload() {
    let server = TestServer::start();
    let away = server.storage().with_extension("away");
    let mut connection = server.connect();
    let head = format!(
        "PUT /assets/a.zip HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: 2\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    connection.send(head.as_bytes());
    assert_eq!(connection.response("PUT").status, 100);
    connection.send(b"1");
    fs::rename(server.storage(), &away).unwrap();
    connection.send(b"2");
    connection
        .response("PUT")
        .assert_error(503, "cannot open the directory");
    // A file in the directory's place is not a directory either.
    fs::write(server.storage(), "a file").unwrap();
    server.get("/readyz").assert_error(503, "Not a directory");
    server
        .put("a.zip", b"1")
        .assert_error(503, "Not a directory");
    fs::remove_file(server.storage()).unwrap();
    fs::rename(&away, server.storage()).unwrap();
    assert_eq!(server.stored(), [""; 0]);
    assert_eq!(server.put("a.zip", b"12").status, 201);
    // Another directory in its place becomes the storage.
    fs::rename(server.storage(), &away).unwrap();
    fs::create_dir(server.storage()).unwrap();
    until(|| (server.listed() == [""; 0]).then_some(()));
    assert_eq!(server.put("a.zip", b"3").status, 201);
}
