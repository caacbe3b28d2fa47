//! `release-server verify`: what it finds, what it repairs, and what it leaves alone.

#[cfg(feature = "catalogs")]
use crate::packages::catalogs::extension;
use crate::support::{TestServer, command, hex, noise};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

fn verify(storage: &Path, arguments: &[&str]) -> Output {
    let mut command = command();
    command.arg("verify").args(arguments);
    command.env("STORAGE_PATH", storage).output().unwrap()
}

/// The lines printed, and whether the command reported success.
fn lines(output: &Output) -> (Vec<String>, bool) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let code = output.status.code().unwrap();
    assert!(code <= 1, "{output:?}");
    (text.lines().map(str::to_owned).collect(), code == 0)
}

fn place(storage: &Path, name: &str, sidecar: Option<&str>) {
    fs::write(storage.join(name), name).unwrap();
    if let Some(text) = sidecar {
        fs::write(storage.join(format!("{name}.sha256")), text).unwrap();
    }
}

/// The names, contents and times of all files.
fn state(storage: &Path) -> Vec<(String, Vec<u8>, SystemTime)> {
    let mut found: Vec<_> = fs::read_dir(storage)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let content = fs::read(entry.path()).unwrap_or_default();
            let modified = entry.metadata().unwrap().modified().unwrap();
            (entry.file_name().into_string().unwrap(), content, modified)
        })
        .collect();
    found.sort();
    found
}

/// A directory with one package for each fault, and the line for each.
fn faulty(storage: &Path) -> Vec<String> {
    let wrong = "b".repeat(64);
    place(storage, "damaged.zip", Some(&wrong));
    place(storage, "empty.zip", Some(""));
    place(storage, "folder.zip", None);
    fs::create_dir(storage.join("folder.zip.sha256")).unwrap();
    place(storage, "garbage.zip", Some("no digest at all"));
    place(storage, "good.zip", Some(&hex(b"good.zip")));
    place(storage, "link.zip", None);
    symlink("good.zip.sha256", storage.join("link.zip.sha256")).unwrap();
    place(storage, "missing.zip", None);
    place(storage, "stale.zip", Some(&wrong));
    let stale = fs::File::options()
        .write(true)
        .open(storage.join("stale.zip.sha256"))
        .unwrap();
    stale
        .set_modified(SystemTime::now() - Duration::from_mins(1))
        .unwrap();
    fs::write(storage.join("gone.zip.sha256"), &wrong).unwrap();
    // Entries that are neither packages nor evidence of a lost one.
    fs::create_dir(storage.join("folder")).unwrap();
    fs::write(storage.join(".hidden.sha256"), "x").unwrap();
    [
        &format!(
            "damaged.zip: damaged: the checksum is {wrong}, the bytes have {}",
            hex(b"damaged.zip")
        ),
        "empty.zip: the checksum is not 64 hexadecimal digits",
        "folder.zip: the checksum file is not a regular file",
        "garbage.zip: the checksum is not 64 hexadecimal digits",
        "link.zip: the checksum file is not a regular file",
        "missing.zip: the checksum is missing",
        "stale.zip: the checksum is older than the package",
        "gone.zip: the package is missing, its checksum is there",
        "packages: 8, bytes: 77, wrong: 8, repaired: 0",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_healthy_directory_is_reported_in_one_line() {
    let server = TestServer::start();
    let (said, right) = lines(&verify(server.storage(), &[]));
    assert!(right, "nothing there is all right");
    assert_eq!(said, ["packages: 0, bytes: 0, wrong: 0, repaired: 0"]);
    assert_eq!(server.put("a.zip", b"content").status, 201);
    assert_eq!(server.put("b.zip", &noise(1, 700_000)).status, 201);
    for arguments in [&[][..], &["--repair"]] {
        let before = state(server.storage());
        let (said, right) = lines(&verify(server.storage(), arguments));
        assert!(right);
        assert_eq!(said, ["packages: 2, bytes: 700007, wrong: 0, repaired: 0"]);
        assert_eq!(state(server.storage()), before);
    }
}

#[test]
fn each_fault_has_its_line_and_nothing_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    let expected = faulty(directory.path());
    let before = state(directory.path());
    let (said, right) = lines(&verify(directory.path(), &[]));
    assert_eq!(said, expected);
    assert!(!right);
    assert_eq!(state(directory.path()), before);
}

#[test]
fn a_repair_writes_what_is_missing_and_leaves_damage_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let storage = directory.path();
    let found = faulty(storage);
    let before = state(storage);
    let (said, right) = lines(&verify(storage, &["--repair"]));
    assert!(!right, "damage stays damage");
    for (said, found) in said.iter().zip(&found) {
        match found.split(':').next().unwrap() {
            "damaged.zip" | "gone.zip" => assert_eq!(said, found),
            "folder.zip" => {
                assert!(said.starts_with(&format!("{found}; cannot write the sidecar ")));
            }
            "packages" => assert!(said.ends_with(" wrong: 3, repaired: 5"), "{said}"),
            _ => assert_eq!(*said, format!("{found}; repaired")),
        }
    }
    for (name, content, modified) in before {
        let path = storage.join(&name);
        if !name.ends_with(".sha256") {
            assert_eq!(fs::read(&path).unwrap_or_default(), content, "{name}");
            let now = path.metadata().unwrap().modified().unwrap();
            assert_eq!(now, modified, "{name}");
        }
    }
    for name in ["empty", "garbage", "link", "missing", "stale"] {
        let name = format!("{name}.zip");
        let written = fs::read(storage.join(format!("{name}.sha256"))).unwrap();
        assert_eq!(written, hex(name.as_bytes()).into_bytes());
    }
    let damaged = fs::read_to_string(storage.join("damaged.zip.sha256")).unwrap();
    assert_eq!(damaged, "b".repeat(64));
    // A file corrected by hand passes.
    fs::remove_dir(storage.join("folder.zip.sha256")).unwrap();
    fs::remove_file(storage.join("damaged.zip.sha256")).unwrap();
    fs::remove_file(storage.join("gone.zip.sha256")).unwrap();
    let (said, right) = lines(&verify(storage, &["--repair"]));
    assert!(right);
    assert_eq!(said.len(), 3);
    let (said, right) = lines(&verify(storage, &[]));
    assert!(right);
    assert_eq!(said, ["packages: 8, bytes: 77, wrong: 0, repaired: 0"]);
}

#[test]
fn bytes_that_rotted_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let storage = directory.path();
    let server = TestServer::over(storage, &[]);
    let content = noise(3, 300_000);
    assert_eq!(server.put("a.zip", &content).status, 201);
    // A running server would take the following change for an edit by hand.
    drop(server);
    let path = storage.join("a.zip");
    let modified = path.metadata().unwrap().modified().unwrap();
    let mut rotten = content.clone();
    rotten[123_456] ^= 1;
    fs::write(&path, &rotten).unwrap();
    // Bit rot leaves all times unchanged; the test moves the sidecar's times later instead.
    let package = fs::File::options().write(true).open(&path).unwrap();
    package.set_modified(modified).unwrap();
    fs::write(storage.join("a.zip.sha256"), hex(&content)).unwrap();
    let line = format!(
        "a.zip: damaged: the checksum is {}, the bytes have {}",
        hex(&content),
        hex(&rotten)
    );
    for arguments in [&[][..], &["--repair"]] {
        let (said, right) = lines(&verify(storage, arguments));
        assert!(!right);
        assert_eq!(said[0], line);
    }
}

#[test]
fn verify_beside_a_publishing_server_reports_and_changes_nothing() {
    let server = TestServer::start();
    let (publishing, content) = (AtomicBool::new(true), |round: u64| noise(round, 20_000));
    let last = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let mut round = 0;
            while publishing.load(Ordering::Relaxed) {
                round += 1;
                let path = format!("/assets/{}.zip?overwrite=1", round % 2);
                let answer = server.write("PUT", &path, "", &content(round));
                assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                if round % 5 == 0 {
                    server.write("DELETE", "/assets/0.zip", "", b"");
                }
            }
            round
        });
        for _ in 0..30 {
            let (said, _) = lines(&verify(server.storage(), &["--repair"]));
            for line in said {
                assert!(!line.contains("damaged"), "{line}");
                assert!(!line.ends_with("; repaired"), "{line}");
            }
        }
        publishing.store(false, Ordering::Relaxed);
        publisher.join().unwrap()
    });
    let (said, right) = lines(&verify(server.storage(), &[]));
    assert!(right, "after {last} rounds: {said:?}");
}

#[test]
fn it_needs_the_directory_and_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let output = verify(&missing, &["--repair"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "release-server: cannot open the directory {}: No such file or directory (os error \
                2)\n",
            missing.display()
        )
    );
    assert!(!missing.exists(), "it creates nothing");
}

#[test]
fn a_package_dated_in_the_future_is_repaired_for_good() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.zip");
    fs::write(&path, "1").unwrap();
    let future = SystemTime::now() + Duration::from_hours(24 * 365);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(future).unwrap();
    let (_, right) = lines(&verify(directory.path(), &["--repair"]));
    assert!(right);
    let (said, right) = lines(&verify(directory.path(), &[]));
    assert_eq!(said, ["packages: 1, bytes: 1, wrong: 0, repaired: 0"]);
    assert!(right);
}

#[test]
fn progress_is_for_terminals() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.zip"), noise(1, 3 << 20)).unwrap();
    let binary = env!("CARGO_BIN_EXE_release-server");
    let output = Command::new("script")
        .args(["-qec", &format!("{binary} verify"), "/dev/null"])
        .env("STORAGE_PATH", directory.path())
        .env("CONFIG_PATH", "/dev/null")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("\r\x1b[K0 of 1 packages, "), "{text:?}");
    assert!(text.contains(" of 3 MiB"), "{text:?}");
    assert!(
        text.contains("\r\x1b[Ka.zip: the checksum is missing\r\n"),
        "{text:?}"
    );
    assert!(
        text.ends_with("packages: 1, bytes: 3145728, wrong: 1, repaired: 0\r\n"),
        "{text:?}"
    );
}

#[cfg(feature = "catalogs")]
#[test]
fn packages_that_catalogs_leave_out_are_named_and_are_no_fault() {
    let server = TestServer::start();
    for (name, version) in [("a.zip", "1.0"), ("b.zip", "1.0.0"), ("c.zip", "new")] {
        assert_eq!(server.put(name, &extension("acme", version)).status, 201);
    }
    let (lines, is_right) = lines(&verify(server.storage(), &[]));
    let why = "an older package has the same id and version with other bytes (duplicate)";
    assert_eq!(lines[0], format!("b.zip: not in the catalogs: {why}"));
    assert!(lines[1].starts_with("c.zip: not in the catalogs: extension.version is not"));
    assert!(is_right && lines.len() == 3, "{lines:?}");
}
