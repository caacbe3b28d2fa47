//! A volume that fills up, turns read-only, vanishes and returns. Each server has its volume in a
//! namespace of its own.

use crate::support::{Response, TOKEN, TestServer, hex, noise, until};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server over the folder `data` of a volume.
pub struct Volume {
    pub server: TestServer,
    mount_point: PathBuf,
    _directory: tempfile::TempDir,
}

impl Volume {
    /// `mount`: the mount command without the mount point.
    pub fn new(mount: &str) -> Self {
        Self::with(mount, &[])
    }

    fn with(mount: &str, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mount_point = directory.path().join("volume");
        fs::create_dir(&mount_point).unwrap();
        let script = format!("mount {mount} '{}'", mount_point.display());
        Self {
            server: TestServer::in_namespace(&script, &mount_point.join("data"), settings),
            mount_point,
            _directory: directory,
        }
    }

    /// A path on the volume, as this process sees it.
    pub fn path(&self, below: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.server.pid()));
        root.join(self.mount_point.join(below).strip_prefix("/").unwrap())
    }

    /// Runs a command in the namespace of the mount, with the mount point as its last argument.
    fn run(&self, command: &str) {
        self.run_on(command, &self.mount_point);
    }

    /// Runs a command in the namespace of the mount, with a path as its last argument.
    fn run_on(&self, command: &str, path: &Path) {
        let pid = self.server.pid().to_string();
        let words = command.split(' ');
        until(|| {
            let status = Command::new("nsenter")
                .args([
                    "--user",
                    "--mount",
                    "--preserve-credentials",
                    "--target",
                    &pid,
                    "--",
                ])
                .args(words.clone())
                .arg(path)
                .status();
            // A volume is busy while the server reads it.
            status.unwrap().success().then_some(())
        });
    }

    /// Waits for an error in the log that names this path and holds these words.
    fn assert_logged(&self, path: &Path, words: &str) {
        self.server.wait_for_line(|line| {
            line["level"] == "ERROR"
                && line["path"] == path.to_str().unwrap()
                && line["error"]
                    .as_str()
                    .is_some_and(|error| error.contains(words))
        });
    }

    fn replace(&self, name: &str, content: &[u8]) -> Response {
        let path = format!("/assets/{name}?overwrite=1");
        self.server.write("PUT", &path, "", content)
    }

    pub fn delete(&self, name: &str) -> Response {
        self.server
            .write("DELETE", &format!("/assets/{name}"), "", b"")
    }
}

/// Writes a file until the volume is full.
pub fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    let more = vec![1; 64 * 1024];
    while std::io::Write::write_all(&mut file, &more).is_ok() {}
}

#[test]
#[ignore = "needs a mount: scripts/faults.sh"]
fn a_full_disk() {
    let volume = Volume::new("-t tmpfs -o size=3m none");
    let server = &volume.server;
    let kept = noise(1, 1_000_000);
    assert_eq!(server.put("kept.zip", &kept).status, 201);
    // With an announced length, the refusal precedes the body.
    server
        .put("big.zip", &noise(2, 4_000_000))
        .assert_error(507, "not enough space");
    // Without an announced length, the refusal comes midway.
    let mut connection = server.connect();
    let head = format!(
        "PUT /assets/big.zip HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
         Transfer-Encoding: chunked\r\n\r\n3d0900\r\n"
    );
    connection.send(head.as_bytes());
    connection.send(&noise(2, 4_000_000));
    connection
        .response("PUT")
        .assert_error(507, "not enough space");
    volume.assert_logged(&volume.mount_point.join("data"), "No space left");
    assert_eq!(server.put("fits.zip", b"1").status, 201);
    assert_eq!(volume.delete("fits.zip").status, 204);

    fill(&volume.path("filler"));
    server
        .put("a.zip", b"1")
        .assert_error(507, "not enough space");
    server
        .upload("a.zip", b"1")
        .assert_error(507, "not enough space");
    volume
        .replace("kept.zip", b"1")
        .assert_error(507, "not enough space");
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.listed(), ["kept.zip"]);
    let answer = server.get("/assets/kept.zip");
    assert!(
        answer.body == kept,
        "an overwrite that was refused changed it"
    );
    assert_eq!(answer.header("etag"), format!("\"{}\"", hex(&kept)));
    // Deletes, which free space, succeed.
    assert_eq!(volume.delete("kept.zip").status, 204);
    assert_eq!(server.put("a.zip", &noise(3, 500_000)).status, 201);
    assert_eq!(server.listed(), ["a.zip"]);
}

#[test]
#[ignore = "needs a mount: scripts/faults.sh"]
fn a_disk_without_room_for_the_checksum() {
    let volume = Volume::new("-t tmpfs -o nr_inodes=20 none");
    let server = &volume.server;
    let filler = |number: usize| volume.path(&format!("filler-{number}"));
    let last = (0..20)
        .find(|&number| fs::File::create(filler(number)).is_err())
        .unwrap()
        - 1;
    server
        .put("a.zip", b"1")
        .assert_error(507, "not enough space");
    fs::remove_file(filler(last)).unwrap();
    let answer = server.put("a.zip", b"1");
    assert_eq!(
        (answer.status, answer.json()["sha256"].clone()),
        (201, hex(b"1").into())
    );
    server.wait_for_line(|line| {
        let error = line["error"].as_str().unwrap_or_default();
        line["level"] == "WARN" && error.contains("/data: No space left")
    });
    let checksum = server.get("/assets/a.zip.sha256").text();
    assert_eq!(checksum, format!("{}  a.zip\n", hex(b"1")));
    // The sidecar is written once there is space.
    fs::remove_file(filler(last - 1)).unwrap();
    let sidecar = volume.path("data/a.zip.sha256");
    until(|| (fs::read_to_string(&sidecar).ok()? == hex(b"1")).then_some(()));
}

#[test]
#[ignore = "needs a mount: scripts/faults.sh"]
fn a_volume_that_turns_read_only() {
    let volume = Volume::new("-t tmpfs none");
    let server = &volume.server;
    assert_eq!(server.put("kept.zip", b"kept").status, 201);
    fs::write(volume.path("data/gone.zip.sha256"), "a leftover").unwrap();
    volume.run("mount -o remount,ro");
    let words = "Read-only file system";
    for answer in [
        server.put("a.zip", b"1"),
        server.upload("a.zip", b"1"),
        volume.replace("kept.zip", b"1"),
        volume.delete("kept.zip"),
    ] {
        answer.assert_error(500, words);
    }
    server.get("/readyz").assert_error(503, words);
    volume.assert_logged(&volume.mount_point.join("data"), words);
    assert_eq!(server.get("/assets/kept.zip").body, b"kept");
    assert_eq!(server.listed(), ["kept.zip"]);
    volume.run("mount -o remount,rw");
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(volume.replace("kept.zip", b"new").status, 200);
    let leftover = volume.path("data/gone.zip.sha256");
    until(|| (!leftover.exists()).then_some(()));
}

#[test]
#[ignore = "needs a mount: scripts/faults.sh"]
fn a_volume_that_vanishes_and_returns() {
    let behind = tempfile::tempdir().unwrap();
    let mount = format!("--bind {}", behind.path().display());
    let volume = Volume::new(&mount);
    let server = &volume.server;
    assert_eq!(server.put("kept.zip", b"kept").status, 201);
    volume.run("umount");
    for answer in [
        server.get("/readyz"),
        server.get("/assets/kept.zip"),
        until(|| Some(server.get("/latest")).filter(|answer| answer.status != 200)),
        server.put("a.zip", b"1"),
        volume.delete("kept.zip"),
    ] {
        answer.assert_error(
            503,
            "The storage cannot be used at the moment: cannot open the directory",
        );
        answer.header("retry-after");
    }
    volume.assert_logged(&volume.mount_point.join("data"), "No such file");
    volume.run(&format!("mount {mount}"));
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.get("/assets/kept.zip").body, b"kept");
    assert_eq!(volume.replace("kept.zip", b"new").status, 200);
    assert_eq!(server.listed(), ["kept.zip"]);
}

/// A file that something is mounted on cannot be deleted.
#[test]
#[ignore = "needs a mount: scripts/faults.sh"]
fn retention_goes_on_where_a_package_cannot_be_deleted() {
    let volume = Volume::with("-t tmpfs none", &[("MAX_PACKAGES", "2")]);
    let server = &volume.server;
    let removed = |name: &str| {
        let answer = server.put(name, b"1");
        assert_eq!(answer.status, 201, "the publish succeeds");
        answer.json()["removed"].clone()
    };
    assert_eq!(removed("a.zip"), json!([]));
    assert_eq!(removed("b.zip"), json!([]));
    let kept = volume.mount_point.join("data/a.zip");
    volume.run_on(&format!("mount --bind {}", kept.display()), &kept);
    assert_eq!(removed("c.zip"), json!(["b.zip"]));
    assert_eq!(removed("d.zip"), json!(["c.zip"]));
    assert_eq!(server.listed(), ["d.zip", "a.zip"]);
    let line = server.wait_for_line(|line| line["level"] == "ERROR");
    assert_eq!(line["package"], "a.zip");
    let error = line["error"].as_str().unwrap();
    assert!(error.contains(kept.to_str().unwrap()), "{line}");
    // Once it can be deleted, the server deletes it.
    volume.run_on("umount", &kept);
    assert_eq!(removed("e.zip"), json!(["a.zip"]));
    assert_eq!(server.listed(), ["e.zip", "d.zip"]);
}
