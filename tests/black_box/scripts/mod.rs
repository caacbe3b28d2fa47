//! `scripts/upload.sh` and `scripts/delete.sh` against the real server: every outcome and exit
//! code, in every shell that is installed.
//!
//! They need curl; without curl they fail with a sentence that says so.

#[cfg(feature = "catalogs")]
mod catalogs;
mod failures;
#[cfg(feature = "oidc")]
mod identity;
mod selection;
mod workshop;

use crate::support::{TestServer, noise};
use release_server::storage::directory::GENERATION_FILE;
use std::collections::{BTreeMap, BTreeSet};
use workshop::{Run, TOOLS, Workshop, find, script};

const UPLOAD: &str = "upload.sh";
const DELETE: &str = "delete.sh";

/// Names with characters that are special to shells, curl, URLs or forms.
const NAMES: [&str; 14] = [
    "plain-1.0_a~b.zip",
    "two  spaces.zip",
    "semi;colon, comma.zip",
    "quo\"te's.zip",
    "100%25.zip",
    "a+b#c?d&e=f.zip",
    "päckchen-名前.zip",
    "-f",
    "--token=x",
    "-",
    "@at.zip",
    "{a,b}[1-3]*.zip",
    "$HOME`id`.zip",
    "detail\": \"x",
];

/// The files that a server keeps, without their sidecars.
fn stored(server: &TestServer) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(server.storage())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| !name.ends_with(".sha256") && name != GENERATION_FILE)
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect()
}

fn outcomes(run: &Run) -> Vec<&str> {
    run.stdout
        .lines()
        .filter_map(|line| line.split(" ... ").nth(1))
        .collect()
}

/// Every name through every outcome, in one shell.
fn live_a_life(shell: &[&str]) {
    let server = TestServer::start();
    let mut workshop = Workshop::of(&server);
    workshop.shell = shell.iter().map(|&word| word.to_owned()).collect();
    for name in NAMES {
        workshop.file(name, name.as_bytes());
    }
    let count = NAMES.len();
    let expected: BTreeMap<_, _> = NAMES.map(|name| (name.into(), name.into())).into();
    let all = [&["--"], &NAMES[..]].concat();

    let run = workshop.run(UPLOAD, &all);
    let summary = format!("\n{count} files: {count} published, 0 already published, 0 failed\n");
    run.assert(0, &summary, "");
    assert_eq!(stored(&server), expected);

    let run = workshop.run(UPLOAD, &[&["-j4"], &all[..]].concat());
    run.assert(0, &format!("0 published, {count} already"), "");
    assert_eq!(outcomes(&run), vec!["already published"; count]);

    workshop.file("-f", b"other");
    let run = workshop.run(UPLOAD, &all);
    let refused = format!(
        "upload.sh: [8/{count}] -f ... refused: '-f' exists already; publish with overwrite=true \
         to replace a package (with --force)\n"
    );
    run.assert(1, "0 published, 13 already published, 1 failed\n", &refused);
    assert_eq!(stored(&server), expected);

    let run = workshop.run(UPLOAD, &["-qf", "--", "-f"]);
    run.assert(0, "", "");
    assert_eq!(stored(&server)["-f"], b"other");
    let run = workshop.run(UPLOAD, &["./-f", "--force", "./-"]);
    run.assert(0, "[1/2] -f ... replaced (5 B)\n[2/2] - ... repl", "");

    let run = workshop.run(DELETE, &[&["--yes", "none"], &all[..]].concat());
    let lines = format!("{count} deleted, 0 not there, 1 failed\n");
    run.assert(1, &lines, "none ... refused: Not Found: there is no");
    assert_eq!(stored(&server), BTreeMap::new());
    let run = workshop.run(DELETE, &["-f", "none"]);
    run.assert(0, "[1/1] none ... not there\n", "");
}

#[test]
fn every_name_and_outcome_in_the_systems_shell() {
    live_a_life(&["sh"]);
}

#[test]
fn every_name_and_outcome_in_other_shells() {
    for shell in [&["dash"][..], &["bash"], &["busybox", "sh"]] {
        if find(shell[0]).is_some() {
            live_a_life(shell);
        }
    }
}

#[test]
fn a_release_of_34_files_is_published_alone_or_four_at_a_time() {
    for parallel in ["--parallel=1", "--parallel=4"] {
        let server = TestServer::start();
        let workshop = Workshop::of(&server);
        let names: Vec<_> = (1..=34).map(|n| format!("kit-{n:02}.zip")).collect();
        for (seed, name) in names.iter().enumerate() {
            workshop.file(name, &noise(seed as u64, 101_400));
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let run = workshop.run(UPLOAD, &[&[parallel], &names[..]].concat());
        run.assert(0, "34 files: 34 published, 0 already", "");
        let line = |(n, name)| format!("[{}/34] {name} ... published (101 KB)", n + 1);
        let expected: Vec<_> = names.iter().enumerate().map(line).collect();
        let mut lines: Vec<_> = run.stdout.lines().collect();
        lines.pop();
        if parallel == "--parallel=4" {
            let in_any_order: BTreeSet<_> = lines.into_iter().collect();
            assert_eq!(in_any_order, expected.iter().map(String::as_str).collect());
        } else {
            assert_eq!(lines, expected);
        }
        assert_eq!(stored(&server).len(), 34);
    }
}

#[test]
fn the_token_is_on_no_command_line_whatever_is_in_it() {
    let token = r#"a"b\c $d'e%\""#;
    let server = TestServer::with(&[("AUTH_TOKEN", token)]);
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"content");
    for (name, outcome) in [(UPLOAD, "published"), (DELETE, "deleted")] {
        let mut command = workshop.command_with(&TOOLS, name);
        command.env("RELEASE_SERVER_TOKEN", token).arg("a.zip");
        workshop.finish(&mut command).assert(0, outcome, "");
        assert_eq!(
            workshop.text("input"),
            "header = \"Authorization: Bearer a\\\"b\\\\c $d'e%\\\\\\\"\"\n"
        );
    }
    let log = workshop.text("log");
    assert_eq!(log.matches("\ncurl ").count(), 2, "{log}");
    assert!(!log.contains("$d'e"), "{log}");
    let run = workshop.run(UPLOAD, &["-t", token, "a.zip"]);
    run.assert(0, "published", "");
}

#[test]
fn a_dry_run_sends_nothing() {
    let workshop = Workshop::at("http://127.0.0.1:1/");
    workshop.file("a.zip", b"content");
    for (name, word) in [(UPLOAD, "sent to"), (DELETE, "deleted from")] {
        let lines = format!("a.zip ... would be {word} http://127.0.0.1:1\n");
        workshop.run(name, &["-n", "a.zip"]).assert(0, &lines, "");
        workshop.run(name, &["-nq", "a.zip"]).assert(0, "", "");
        let help = workshop.run(name, &["--help"]);
        help.assert(0, "Exit codes:\n  0  every ", "");
        let usage = "Usage: upload.sh [options] FILE...\n       delete.sh [options] NAME...\n";
        assert!(help.stdout.starts_with(usage), "{}", help.stdout);
    }
}

/// Each name works on a copy of the one file, with nothing else beside it.
#[test]
fn one_file_copied_alone_acts_by_its_name() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"content");
    for (name, outcome) in [("upload.sh", "published"), ("delete.sh", "deleted")] {
        workshop.file(name, &std::fs::read(script(name)).unwrap());
        let mut command = workshop.command(&workshop.path(name));
        workshop.finish(command.arg("a.zip")).assert(0, outcome, "");
    }
    let target = std::fs::read_link(script(DELETE)).unwrap();
    assert_eq!(target, std::path::Path::new(UPLOAD));
}

#[test]
fn a_refused_file_does_not_keep_the_next_from_being_published() {
    let server = TestServer::with(&[("MAX_UPLOAD_SIZE", "1MiB"), ("MAX_PACKAGES", "3")]);
    let workshop = Workshop::of(&server);
    workshop.file("large.zip", &noise(1, 5_000_000));
    workshop.file("empty.zip", b"");
    let sweepable = ["a]\",\"b", "c, d", "e"];
    for (name, age) in sweepable.iter().zip([30, 20, 10]) {
        workshop.file(name, b"content");
        let path = server.storage().join(name);
        std::fs::copy(workshop.path(name), &path).unwrap();
        let time = release_server::clock::wall_now() - std::time::Duration::from_secs(age);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    }
    workshop.file("small.zip", b"content");
    let run = workshop.run(UPLOAD, &["large.zip", "empty.zip", "small.zip"]);
    let removed = "small.zip ... published (7 B); the server removed to make room: a]\",\"b\n";
    run.assert(
        1,
        removed,
        "large.zip ... refused: The file is over 1048576 bytes",
    );
    let end = "upload.sh: [2/3] empty.zip ... refused: The file is empty\n\
               upload.sh: the server removed 1 packages to make room\n";
    assert!(run.stderr.ends_with(end), "{}", run.stderr);
}

#[test]
fn without_a_tool_for_checksums_a_name_that_is_taken_is_refused() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"content");
    let tools: Vec<_> = TOOLS
        .into_iter()
        .filter(|tool| *tool != "sha256sum")
        .collect();
    for (code, outcome, error) in [(0, "published", ""), (1, "", "a.zip' exists already")] {
        let mut command = workshop.command_with(&tools, UPLOAD);
        let run = workshop.finish(command.arg("a.zip"));
        run.assert(code, outcome, error);
    }
}
