//! Tokens files as they change: renamed over, written in place, swapped by a link like a Secret of
//! Kubernetes, removed, broken.

use super::{named, with_token, write_tokens};
use crate::commands::command_line::{assert_fails, run};
use crate::support::{TestServer, until};
use std::fs;
use std::os::unix::fs::symlink;

const OUTDATED: &str =
    "OK\ntokens_file cannot be used, so its last content counts; the log says why\n";
const RELOADED: &str = "release_server_tokens_last_reload_successful";

fn status(server: &TestServer, token: &str) -> u16 {
    // Empty, so that nothing is stored where the token is accepted.
    with_token(server, token, ("PUT", "/assets/x.zip"), "", b"").status
}

fn wait_for(server: &TestServer, token: &str, wanted: u16) {
    until(|| (status(server, token) == wanted).then_some(()));
}

#[test]
fn a_change_of_the_file_counts_however_it_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let tokens: Vec<_> = (0..4)
        .map(|number| named(&format!("t{number}"), "  may: [publish]\n"))
        .collect();
    let entry = |number: usize| tokens[number].entry.as_str();
    write_tokens(&file, [entry(0)]);
    let settings = [("AUTH_TOKEN", ""), ("TOKENS_FILE", file.to_str().unwrap())];
    let server = TestServer::with(&settings);
    assert_eq!(status(&server, &tokens[0].token), 400);
    assert_eq!(status(&server, &tokens[1].token), 401);
    write_tokens(&file, [entry(0), entry(1)]);
    wait_for(&server, &tokens[1].token, 400);
    assert_eq!(status(&server, &tokens[0].token), 400);
    fs::write(&file, format!("tokens:\n{}", entry(2))).unwrap();
    wait_for(&server, &tokens[2].token, 400);
    assert_eq!(status(&server, &tokens[0].token), 401);
    write_tokens(&file, []);
    wait_for(&server, &tokens[2].token, 401);
    // As the kubelet does: the file is a link into a link to a directory, which is set anew.
    let folder = directory.path();
    for (name, number) in [("..1", 3), ("..2", 0)] {
        fs::create_dir(folder.join(name)).unwrap();
        write_tokens(&folder.join(name).join("tokens.yaml"), [entry(number)]);
    }
    symlink("..1", folder.join("..data")).unwrap();
    fs::remove_file(&file).unwrap();
    symlink("..data/tokens.yaml", &file).unwrap();
    wait_for(&server, &tokens[3].token, 400);
    symlink("..2", folder.join("..tmp")).unwrap();
    fs::rename(folder.join("..tmp"), folder.join("..data")).unwrap();
    wait_for(&server, &tokens[0].token, 400);
    assert_eq!(status(&server, &tokens[3].token), 401);
}

#[test]
fn a_broken_file_keeps_the_last_one_in_force_and_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let path = file.to_str().unwrap();
    let ci = named("ci", "  may: [publish]\n");
    write_tokens(&file, [&*ci.entry]);
    let server = TestServer::with(&[("TOKENS_FILE", path)]);
    assert_eq!(server.get("/readyz").text(), "OK\n");
    assert_eq!(server.metric(RELOADED), 1);
    let message = "the file cannot be used; its last content counts";
    for (reports, (text, why)) in (1..).zip([
        ("tokens: [", "line 2 is not YAML, or sets a key twice"),
        ("", "does not hold one key 'tokens' with a list of entries"),
        (
            "tokens:\n- name: x\n  sha256: rs_s3cret\n",
            "entry 1: 'x': sha256: ",
        ),
    ]) {
        fs::write(&file, text).unwrap();
        let line = until(|| {
            let log = server.log().into_iter();
            let lines: Vec<_> = log.filter(|line| line["message"] == message).collect();
            (lines.len() == reports).then(|| lines.last().unwrap().clone())
        });
        let error = line["error"].as_str().unwrap();
        assert!(error.starts_with(&format!("{path}: {why}")), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
        assert_eq!(line["level"], "ERROR");
        assert_eq!(status(&server, &ci.token), 400);
        let ready = server.get("/readyz");
        assert_eq!((ready.status, ready.text().as_str()), (200, OUTDATED));
        assert_eq!(server.metric(RELOADED), 0);
    }
    fs::remove_file(&file).unwrap();
    server.wait_for_line(|line| {
        line["error"]
            .as_str()
            .is_some_and(|why| why.contains("No such"))
    });
    assert_eq!(status(&server, &ci.token), 400);
    write_tokens(&file, [&*ci.entry]);
    until(|| (server.get("/readyz").text() == "OK\n").then_some(()));
    assert_eq!(server.metric(RELOADED), 1);
}

#[test]
fn several_files_count_as_one_and_a_hangup_reads_them_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    let (first, second) = (
        named("first", "  may: [publish]\n"),
        named("second", "  may: [delete]\n"),
    );
    write_tokens(&one, [&*first.entry]);
    write_tokens(&two, [&*second.entry]);
    let both = format!("{}, {}", one.display(), two.display());
    let server = TestServer::with(&[("AUTH_TOKEN", ""), ("TOKENS_FILE", &both)]);
    assert_eq!(status(&server, &first.token), 400);
    assert_eq!(status(&server, &second.token), 403);
    write_tokens(&two, [&*first.entry]);
    server.signal("HUP");
    let refused = "SIGHUP: the file cannot be used; its last content counts";
    let line = server.wait_for_line(|line| line["message"] == refused);
    let why = format!("{}: entry 1: there is another entry 'first'", two.display());
    assert_eq!(line["error"], why);
    write_tokens(&two, []);
    server.signal("HUP");
    let read = "SIGHUP: the file was read again";
    let paths = format!("{},{}", one.display(), two.display());
    server.wait_for_line(|line| line["message"] == read && line["path"] == paths);
    assert_eq!(status(&server, &second.token), 401);
    let refusals = server.log().into_iter();
    let refusals = refusals.filter(|line| line["message"] == refused);
    assert_eq!(refusals.count(), 1, "one line for all the files");
}

#[test]
fn a_file_that_cannot_be_used_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let path = file.to_str().unwrap();
    fs::write(&file, "tokens:\n- name: ci\n  token: x\n").unwrap();
    let known = "known are name, sha256, issuer, audience, claims, may, names, expires, comment";
    let line = format!("tokens_file: {path}: entry 1: unknown key 'token'; {known}");
    for command in [&["serve"][..], &["check-config"]] {
        assert_fails(&run(command, &[("TOKENS_FILE", path)]), 1, &line);
    }
}
