//! The commands `copy` and `verify` with a bucket.

use super::Fleet;
use crate::support::{command, hex, noise};
use std::path::Path;
use std::process::Output;
use std::time::{Duration, UNIX_EPOCH};

pub fn run(fleet: &Fleet, arguments: &[&str]) -> Output {
    let settings = fleet.settings.iter().map(|(name, value)| (name, value));
    command()
        .args(arguments)
        .env("AUTH_TOKEN", "token")
        .env("STORAGE_PATH", fleet.directory.path().join("commands"))
        .envs(settings)
        .output()
        .unwrap()
}

/// The last line of a command's output, which must have succeeded or not.
fn summary(output: &Output, is_success: bool) -> String {
    assert_eq!(output.status.success(), is_success, "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().last().unwrap().to_owned()
}

/// The bucket and its prefix.
pub fn location(fleet: &Fleet) -> &str {
    let mut settings = fleet.settings.iter();
    &settings.find(|(name, _)| *name == "BUCKET").unwrap().1
}

fn write(folder: &Path, name: &str, content: &[u8], seconds: u64) {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap();
}

#[test]
fn packages_are_copied_in_and_out_and_compared() {
    let Some(fleet) = Fleet::start(0, &[]) else {
        return;
    };
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let names = ["old.zip", "a b.zip", "new.zip"];
    for (at, name) in (0..).zip(names) {
        write(from.path(), name, &noise(at, 100_000), 1_000_000_000 + at);
    }
    let bucket = location(&fleet);
    let path = |folder: &tempfile::TempDir| folder.path().to_str().unwrap().to_owned();
    let copy = |from: &str, to: &str| run(&fleet, &["copy", "--from", from, "--to", to]);
    let into = copy(&path(&from), bucket);
    assert!(
        summary(&into, true).starts_with("packages: 3, copied: 3,"),
        "{into:?}"
    );
    let again = copy(&path(&from), bucket);
    assert!(
        summary(&again, true).starts_with("packages: 3, copied: 0,"),
        "{again:?}"
    );

    let server = fleet.start_over("one");
    assert_eq!(
        server.listed(),
        ["new.zip", "a b.zip", "old.zip"],
        "times are kept"
    );
    for (at, name) in (0..).zip(names) {
        let answer = server.get(&format!("/assets/{}", name.replace(' ', "%20")));
        assert_eq!(
            answer.header("etag"),
            format!("\"{}\"", hex(&noise(at, 100_000)))
        );
    }
    assert!(summary(&run(&fleet, &["verify"]), true).contains("packages: 3"));

    let out = copy(bucket, &path(&to));
    assert!(
        summary(&out, true).starts_with("packages: 3, copied: 3,"),
        "{out:?}"
    );
    for (at, name) in (0..).zip(names) {
        let copied = to.path().join(name);
        assert!(std::fs::read(&copied).unwrap() == noise(at, 100_000));
        let modified = std::fs::metadata(&copied).unwrap().modified().unwrap();
        assert_eq!(
            modified,
            UNIX_EPOCH + Duration::from_secs(1_000_000_000 + at)
        );
    }
    let again = copy(bucket, &path(&to));
    assert!(
        summary(&again, true).starts_with("packages: 3, copied: 0,"),
        "{again:?}"
    );
}

#[test]
fn other_bytes_under_a_name_are_reported_and_left() {
    let Some(fleet) = Fleet::start(1, &[]) else {
        return;
    };
    assert_eq!(fleet.servers[0].put("a.zip", b"ours").status, 201);
    let from = tempfile::tempdir().unwrap();
    write(from.path(), "a.zip", b"others", 1_000_000_000);
    let bucket = location(&fleet);
    let from = from.path().to_str().unwrap();
    let differs = run(&fleet, &["copy", "--from", from, "--to", bucket]);
    assert!(summary(&differs, false).contains("wrong: 1"), "{differs:?}");
    assert_eq!(fleet.servers[0].get("/assets/a.zip").body, b"ours");
}

#[test]
fn damaged_objects_are_found_and_not_copied() {
    let Some(fleet) = Fleet::start(0, &[]) else {
        return;
    };
    let stated = format!("x-amz-meta-sha256: {}", hex(b"other bytes"));
    fleet.by_hand(
        "PUT",
        "damaged.zip",
        &["--data-binary", "bytes", "--header", &stated],
    );
    fleet.by_hand("PUT", "plain.zip", &["--data-binary", "bytes"]);
    let output = run(&fleet, &["verify"]);
    assert!(summary(&output, false).contains("wrong: 1"), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |name: &str| {
        text.lines()
            .find(|line| line.contains(name))
            .unwrap()
            .to_owned()
    };
    assert!(
        line("damaged.zip").contains("damaged: the checksum is"),
        "{text}"
    );
    assert!(line("plain.zip").contains("no checksum"), "{text}");
    let to = tempfile::tempdir().unwrap();
    let bucket = location(&fleet);
    let out = run(
        &fleet,
        &[
            "copy",
            "--from",
            bucket,
            "--to",
            to.path().to_str().unwrap(),
        ],
    );
    assert!(summary(&out, false).contains("wrong: 1"), "{out:?}");
    assert_eq!(
        std::fs::read(to.path().join("plain.zip")).unwrap(),
        b"bytes"
    );
    assert!(!to.path().join("damaged.zip").exists());
}
