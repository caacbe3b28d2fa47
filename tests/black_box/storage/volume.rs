//! The directory: its files, changes by hand, and volumes of the Python server.

use crate::support::{TestServer, hex, noise, until};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

fn set_modified(path: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// The checksum that the list shows for a package, once there is one.
fn healed(server: &TestServer, name: &str) -> String {
    until(|| {
        let list = server.get("/packages?format=json").json();
        let list = list.as_array().unwrap().clone();
        let package = list.iter().find(|package| package["name"] == name)?;
        package["sha256"].as_str().map(str::to_owned)
    })
}

/// The Python server lists every file as a package but those with the suffix of a sidecar.
#[test]
fn the_python_server_would_list_the_packages_alone() {
    let server = TestServer::start();
    for name in ["a.zip", "b.zip"] {
        assert_eq!(server.put(name, b"content").status, 201);
    }
    let of_python: Vec<_> = fs::read_dir(server.storage())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".sha256"))
        .collect();
    assert_eq!(of_python.len(), 2, "{of_python:?}");
}

#[test]
fn a_volume_of_the_python_server_works_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    // Files with bare digests beside them, without a final newline. The digests are wrong on
    // purpose, to show that they are believed.
    let digest = "a".repeat(64);
    let now = SystemTime::now();
    for (age, name) in [(30, "old.zip"), (20, "middle.zip"), (10, "new.zip")] {
        let path = directory.path().join(name);
        fs::write(&path, name).unwrap();
        set_modified(&path, now - Duration::from_secs(age));
        fs::write(directory.path().join(format!("{name}.sha256")), &digest).unwrap();
    }
    let server = TestServer::over(directory.path(), &[]);
    assert_eq!(server.listed(), ["new.zip", "middle.zip", "old.zip"]);
    let release = server.get("/latest").json();
    for asset in release["assets"].as_array().unwrap() {
        assert_eq!(asset["digest"], format!("sha256:{digest}"));
    }
    let checksum = server.get("/assets/old.zip.sha256").text();
    assert_eq!(checksum, format!("{digest}  old.zip\n"));
    // Sidecars written by this server read back the same way.
    assert_eq!(server.put("ours.zip", b"content").status, 201);
    let sidecar = fs::read(directory.path().join("ours.zip.sha256")).unwrap();
    assert_eq!(sidecar, hex(b"content").into_bytes());
    assert_eq!(server.stored().len(), 8);
}

#[test]
fn packages_and_checksums_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..30)
        .rev()
        .map(|number| format!("{number:02}.zip"))
        .collect();
    let first = TestServer::over(directory.path(), &[]);
    for name in names.iter().rev() {
        assert_eq!(first.put(name, name.as_bytes()).status, 201);
    }
    assert_eq!(
        first.listed(),
        names,
        "each is newer than the one before, however quick"
    );
    drop(first);
    let second = TestServer::over(directory.path(), &[]);
    let list = second.get("/packages?format=json").json();
    for (package, name) in list.as_array().unwrap().iter().zip(&names) {
        assert_eq!(
            (&package["name"], &package["sha256"]),
            (&name.as_str().into(), &hex(name.as_bytes()).into())
        );
    }
}

#[test]
fn a_checksum_is_right_or_absent_and_then_recomputed() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = "b".repeat(64);
    let place = |name: &str, sidecar: Option<&str>| {
        let path = directory.path().join(name);
        fs::write(&path, name).unwrap();
        if let Some(text) = sidecar {
            fs::write(directory.path().join(format!("{name}.sha256")), text).unwrap();
        }
    };
    place("missing.zip", None);
    place("empty.zip", Some(""));
    place("garbage.zip", Some("no digest at all"));
    place("short.zip", Some(&wrong[1..]));
    place("stale.zip", Some(&wrong));
    let stale = directory.path().join("stale.zip.sha256");
    set_modified(&stale, SystemTime::now() - Duration::from_mins(1));
    let server = TestServer::over(directory.path(), &[]);
    for name in [
        "missing.zip",
        "empty.zip",
        "garbage.zip",
        "short.zip",
        "stale.zip",
    ] {
        assert_eq!(healed(&server, name), hex(name.as_bytes()), "{name}");
        let sidecar = directory.path().join(format!("{name}.sha256"));
        let written = until(|| {
            fs::read_to_string(&sidecar)
                .ok()
                .filter(|text| text.len() == 64)
        });
        assert_eq!(written, hex(name.as_bytes()));
    }
    // A file moved into place keeps its old modification time; its inode's change time reveals the
    // move.
    let moved = directory.path().join("moved.tmp");
    fs::write(&moved, "moved content").unwrap();
    set_modified(&moved, SystemTime::UNIX_EPOCH + Duration::from_secs(1000));
    fs::rename(&moved, directory.path().join("missing.zip")).unwrap();
    let right = hex(b"moved content");
    until(|| (healed(&server, "missing.zip") == right).then_some(()));
    assert_eq!(server.get("/assets/missing.zip").body, b"moved content");
}

#[test]
fn a_package_without_a_checksum_has_a_strong_tag_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    // Large enough that its checksum takes a while.
    let content = noise(5, 60_000_000);
    fs::write(directory.path().join("big.zip"), &content).unwrap();
    let server = TestServer::over(directory.path(), &[]);
    let before = server.request("HEAD", "/assets/big.zip", "", b"");
    let etag = before.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    let sha256 = healed(&server, "big.zip");
    let after = server.request("HEAD", "/assets/big.zip", "", b"");
    assert_eq!(after.header("etag"), format!("\"{sha256}\""));
}

#[test]
fn the_tag_of_a_package_without_a_checksum_differs_for_each_of_its_states() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("big.zip");
    // Sparse, and large enough that no checksum is there before the test ends.
    let file = fs::File::create(&path).unwrap();
    file.set_len(20 << 30).unwrap();
    let server = TestServer::over(directory.path(), &[]);
    let tag = || {
        let head = server.request("HEAD", "/assets/big.zip", "", b"");
        head.header("etag").to_owned()
    };
    let mut tags = vec![tag()];
    assert_eq!(tag(), tags[0]);
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    // Another length; another time of the same length; another change with the same time.
    file.set_len(21 << 30).unwrap();
    tags.push(tag());
    file.set_modified(time - Duration::from_secs(1)).unwrap();
    tags.push(tag());
    std::thread::sleep(Duration::from_millis(20));
    file.set_modified(time - Duration::from_secs(1)).unwrap();
    tags.push(tag());
    // Another file of the same length and time.
    let other = directory.path().join(".other");
    let copy = fs::File::create(&other).unwrap();
    copy.set_len(21 << 30).unwrap();
    copy.set_modified(time - Duration::from_secs(1)).unwrap();
    fs::rename(&other, &path).unwrap();
    tags.push(tag());
    for (at, tag) in tags.iter().enumerate() {
        assert!(!tags[..at].contains(tag), "{tags:?}");
        assert!(tag.starts_with('"'), "{tag} is not strong");
    }
}

#[test]
fn entries_that_are_not_packages_are_neither_listed_nor_served_nor_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    fs::create_dir(directory.path().join("folder.zip")).unwrap();
    symlink(&secret, directory.path().join("link.zip")).unwrap();
    symlink("nowhere", directory.path().join("dangling.zip")).unwrap();
    fs::write(directory.path().join(".hidden"), "x").unwrap();
    fs::write(directory.path().join("back\\slash"), "x").unwrap();
    let fifo = directory.path().join("fifo.zip");
    let made = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success());
    let server = TestServer::over(directory.path(), &[]);
    assert_eq!(server.listed(), [""; 0]);
    for name in ["folder.zip", "link.zip", "dangling.zip", "fifo.zip"] {
        let path = format!("/assets/{name}");
        server.get(&path).assert_error(404, "Not Found");
        server
            .write("DELETE", &path, "", b"")
            .assert_error(404, "Not Found");
        server.put(name, b"1").assert_error(409, "not a package");
        let overwrite = format!("{path}?overwrite=true");
        let answer = server.write("PUT", &overwrite, "", b"1");
        answer.assert_error(409, "not a package");
        server.wait_for_line(|line| {
            line["level"] == "WARN" && line["path"].as_str().is_some_and(|p| p.ends_with(name))
        });
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
    let warnings = |line: &serde_json::Value| line["level"] == "WARN";
    assert_eq!(server.log().iter().filter(|line| warnings(line)).count(), 6);
}

#[test]
fn files_put_there_and_taken_away_by_hand_are_seen() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"1").status, 201);
    let path = server.storage().join("by-hand.zip");
    fs::write(&path, "by hand").unwrap();
    until(|| (server.listed().len() == 2).then_some(()));
    assert_eq!(server.get("/assets/by-hand.zip").body, b"by hand");
    fs::remove_file(&path).unwrap();
    until(|| (server.listed() == ["a.zip"]).then_some(()));
    // Edited in place: the file changes, the directory does not.
    fs::write(server.storage().join("a.zip"), "longer").unwrap();
    until(|| (server.get("/latest").json()["assets"][0]["size"] == 6).then_some(()));
    assert_eq!(healed(&server, "a.zip"), hex(b"longer"));
}

#[test]
fn leftovers_of_dead_processes_are_removed_and_live_uploads_stay() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(".upload-0123456789abcdef"), "half").unwrap();
    fs::write(directory.path().join("gone.zip.sha256"), "c".repeat(64)).unwrap();
    let alive = directory.path().join(".upload-fedcba9876543210");
    fs::write(&alive, "half").unwrap();
    let writer = fs::File::open(&alive).unwrap();
    writer.lock().unwrap();
    let server = TestServer::over(directory.path(), &[]);
    until(|| (server.stored() == [".upload-fedcba9876543210"]).then_some(()));
    drop(writer);
    until(|| (server.stored() == [""; 0]).then_some(()));
}

#[test]
fn hidden_files_that_a_server_did_not_make_stay() {
    let directory = tempfile::tempdir().unwrap();
    let kept = [".notes.sha256", ".upload-notes", ".upload-0123456789ABCDEF"];
    for name in kept {
        fs::write(directory.path().join(name), "a person's").unwrap();
    }
    fs::write(directory.path().join("gone.zip.sha256"), "c".repeat(64)).unwrap();
    let server = TestServer::over(directory.path(), &[]);
    let mut expected = kept.map(str::to_owned);
    expected.sort();
    until(|| (server.stored() == expected).then_some(()));
}

#[test]
fn a_directory_that_vanishes_and_returns_is_served_again() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"1").status, 201);
    assert_eq!(server.get("/readyz").status, 200);
    let away = server.storage().with_extension("away");
    fs::rename(server.storage(), &away).unwrap();
    for path in ["/latest", "/packages", "/readyz", "/assets/a.zip"] {
        let answer = until(|| Some(server.get(path)).filter(|answer| answer.status != 200));
        answer.assert_error(503, "storage cannot be used");
        answer.header("retry-after");
    }
    server
        .put("b.zip", b"1")
        .assert_error(503, "storage cannot be used");
    assert_eq!(server.get("/healthz").status, 200);
    fs::rename(&away, server.storage()).unwrap();
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.listed(), ["a.zip"]);
    assert_eq!(server.put("b.zip", b"1").status, 201);
}
