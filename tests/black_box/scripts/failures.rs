//! Failures of `scripts/upload.sh` and `scripts/delete.sh`: wrong usage, a wrong token, unavailable
//! or foreign servers, lost answers, interrupts.

use super::workshop::{Fate, TOOLS, Workshop, script, through};
use super::{DELETE, UPLOAD, stored};
use crate::support::{TestServer, until};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

#[test]
fn a_wrong_token_ends_the_run() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    for name in ["a", "b", "c"] {
        workshop.file(name, b"content");
    }
    let run = workshop.run(UPLOAD, &["--token", "wrong", "a", "b", "c"]);
    let errors = "upload.sh: [1/3] a ... refused: The token is wrong\n\
                  upload.sh: 2 of 3 files were not sent\n";
    run.assert(1, "3 files: 0 published", errors);
    let run = workshop.run(DELETE, &["-qtwrong", "a", "b"]);
    let errors = "delete.sh: [1/2] a ... refused: The token is wrong\n\
                  delete.sh: 1 of 2 names were not sent\n";
    run.assert(1, "", errors);
}

#[test]
fn wrong_usage_is_reported_before_anything_is_sent() {
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    workshop.file("a.zip", b"content");
    workshop.file("line\nbreak", b"content");
    std::fs::create_dir(workshop.path("directory")).unwrap();
    for (arguments, words) in [
        (&["a.zip", "missing"][..], "there is no file 'missing'"),
        (&["a.zip", "directory/"], "'directory/' is a directory"),
        (&["a.zip", "/dev/null"], "'/dev/null' is not a regular file"),
        (&["a.zip", "./a.zip"], "two files have the name 'a.zip'"),
        (&["a.zip", "line\nbreak"], "'linebreak' holds a control"),
        (&[], "no file is given"),
        (&["a.zip", "--forse"], "there is no option '--forse'"),
        (&["a.zip", "-fx"], "there is no option '-x'"),
        (&["a.zip", "-u"], "-u needs a value"),
        (&["a.zip", "--token="], "there is no token; set RELEASE_"),
        (&["a.zip", "-t", "a\nb"], "the token holds a control char"),
        (&["a.zip", "-j0"], "--parallel takes a number from 1 to 99"),
        (
            &["a.zip", "-u", "host:80"],
            "the URL 'host:80' is not valid",
        ),
        (
            &["a.zip", "-u", "http://h:65536"],
            "--url takes http://HOST",
        ),
        (
            &["a.zip", "-uhttp://h/?a"],
            "--url takes http://HOST[:PORT]",
        ),
    ] {
        let run = workshop.run(UPLOAD, arguments);
        run.assert(2, "", words);
        assert!(run.stderr.starts_with("upload.sh: "), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    assert_eq!(stored(&server), BTreeMap::new());
    for (arguments, words) in [
        (&["a", "dist/b.zip"][..], "'dist/b.zip' is a path"),
        (&["a", ""], "a name is empty"),
        (&[], "no name is given"),
        (&["a", "--parallel=x"], "--parallel takes a number"),
    ] {
        workshop.run(DELETE, arguments).assert(2, "", words);
    }
    let mut command = workshop.command_with(&["tr"], UPLOAD);
    let run = workshop.finish(command.arg("a.zip"));
    run.assert(2, "", "upload.sh: curl is needed and is not in PATH");
}

#[test]
fn an_unreadable_file_is_reported_before_anything_is_sent() {
    const NOBODY: u32 = 65534;
    let server = TestServer::start();
    let workshop = Workshop::of(&server);
    let mode = |path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    workshop.file("a.zip", b"content");
    workshop.file("secret", b"content");
    mode(workshop.path("secret"), 0);
    // The project's directory may be closed to user `nobody`, so a copy of the script runs.
    workshop.file(UPLOAD, &std::fs::read(script(UPLOAD)).unwrap());
    mode(workshop.path("."), 0o755);
    let mut command = workshop.command(&workshop.path(UPLOAD));
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY);
    }
    let run = workshop.finish(command.args(["a.zip", "secret"]));
    run.assert(2, "", "upload.sh: 'secret' cannot be read");
    assert_eq!(stored(&server), BTreeMap::new());
}

#[test]
fn a_server_that_is_down_is_tried_four_times_in_all() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    let workshop = Workshop::at(&url);
    drop(closed);
    workshop.file("a.zip", b"content");
    workshop.file("b.zip", b"content");
    for name in [UPLOAD, DELETE] {
        let mut command = workshop.command_with(&TOOLS, name);
        let run = workshop.finish(command.args(["a.zip", "b.zip"]));
        run.assert(3, "1 failed\n", "s were not sent\n");
        let failed = format!("\n{name}: [1/2] a.zip ... unavailable: Failed to connect");
        assert!(run.stderr.contains(&failed), "{}", run.stderr);
        let named = format!(" (--url is {url})\n");
        assert!(run.stderr.contains(&named), "{}", run.stderr);
    }
    let log = workshop.text("log");
    let sleeps: Vec<_> = log.lines().filter(|line| line.contains("sleep")).collect();
    assert_eq!(sleeps, ["sleep 1", "sleep 2", "sleep 4"].repeat(2));
}

#[test]
fn temporary_failures_are_retried_and_a_lost_answer_does_no_harm() {
    const BUSY: Fate = Fate::Answer(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 32\r\n\r\n\
         {\"detail\": \"Come \\\"back\\\" later\"}",
    );
    let server = TestServer::start();
    let (run, sleeps) = through(&server, UPLOAD, &[BUSY, Fate::Lose, Fate::Pass]);
    let busy = "upload.sh: [1/1] a.zip ... Come \"back\" later; retrying in 7 s\n";
    run.assert(0, "[1/1] a.zip ... already published\n", busy);
    assert_eq!(sleeps, ["7", "2"]);
    let (run, _) = through(&server, DELETE, &[Fate::Lose, Fate::Pass]);
    run.assert(
        0,
        "a.zip ... not there; an earlier attempt may",
        "retrying in 1 s",
    );
    let (run, sleeps) = through(&server, UPLOAD, &[BUSY; 4]);
    run.assert(3, "", "a.zip ... unavailable: Come \"back\" later\n");
    assert_eq!(sleeps, ["7", "7", "7"]);
}

#[test]
fn a_foreign_server_publishes_and_deletes_nothing() {
    let server = TestServer::start();
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n<h1>Hi</h1>";
    let (run, _) = through(&server, UPLOAD, &[Fate::Answer(answer)]);
    run.assert(1, "", "answers 200 and gives no reason; is it a release");
    let answer =
        "HTTP/1.1 308 Moved\r\nLocation: https://h/assets/a.zip\r\nContent-Length: 0\r\n\r\n";
    let (run, _) = through(&server, UPLOAD, &[Fate::Answer(answer)]);
    run.assert(1, "", "answers 308 and points to https://h/assets/a.zip;");
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let (run, _) = through(&server, DELETE, &[Fate::Answer(answer)]);
    run.assert(1, "", "answers 404 and gives no reason; is it a release");
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let workshop = Workshop::at(&format!("http://{}", silent.local_addr().unwrap()));
    workshop.file("a.zip", b"content");
    for name in [UPLOAD, DELETE] {
        let mut command = workshop.command(&script(name));
        let child = command.arg("a.zip").stderr(Stdio::piped()).spawn().unwrap();
        let (stream, _) = until(|| silent.accept().ok());
        let kill = Command::new("kill").arg(child.id().to_string()).status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143));
        let stderr = String::from_utf8(output.stderr).unwrap();
        let end = "0 failed; 1 were not finished\n";
        let begin = format!("{name}: interrupted: 1 ");
        assert!(
            stderr.starts_with(&begin) && stderr.ends_with(end),
            "{stderr}"
        );
        assert_eq!(std::fs::read_dir(workshop.path("tmp")).unwrap().count(), 0);
        drop(stream);
    }
}
