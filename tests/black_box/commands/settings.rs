//! Settings that are misspelt, repeated, not text, or in files that are not files: each stops the
//! start with one line, or is a warning where other programs share the place.

use super::command_line::{assert_fails, run, text};
use crate::support::{TOKEN, TestServer, command};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

/// Runs `check-config` in a directory with this `.env`.
fn check_with_dotenv(dotenv: &str, variables: &[(&str, &str)]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(".env"), dotenv).unwrap();
    let mut command = command();
    command
        .arg("check-config")
        .envs(variables.iter().copied())
        .current_dir(directory.path());
    command.output().unwrap()
}

#[test]
fn a_misspelt_name_in_dotenv_stops_the_start() {
    for (dotenv, line) in [
        (
            "AUTH_TOKEN=x\n\nMAX_PACKAGE=0\n",
            ".env: line 3: MAX_PACKAGE is not a setting; did you mean MAX_PACKAGES?",
        ),
        (
            "# comment\nexport max_packages=0",
            ".env: line 2: max_packages is not a setting; did you mean MAX_PACKAGES?",
        ),
        (
            "POTR=1",
            ".env: line 1: POTR is not a setting; did you mean PORT?",
        ),
        (
            "CONFIG_FILE=1\nCONFG_PATH=1",
            ".env: line 2: CONFG_PATH is not a setting; did you mean CONFIG_PATH?",
        ),
        (
            "A=1\nB=two words\nC=3",
            ".env: line 2 is not NAME=value; quote values that hold spaces or quotes",
        ),
        (
            "A=1\nAUTH_TOKEN='s3cret\nB=2",
            ".env: line 2 is not NAME=value; quote values that hold spaces or quotes",
        ),
    ] {
        assert_fails(&check_with_dotenv(dotenv, &[]), 1, line);
    }
    let others = "HOME=/x\nHOSTNAME=h\nPATH=/bin\nDATABASE_URL=x\nAUTH_TOKEN=x\n";
    let output = check_with_dotenv(others, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_misspelt_name_in_the_environment_is_a_warning() {
    let misspelt = [("AUTH_TOKEN", TOKEN), ("MAX_PACKAGE", "0")];
    let warning = "MAX_PACKAGE is not a setting; did you mean MAX_PACKAGES?";
    let output = check_with_dotenv("", &misspelt);
    assert_eq!(output.status.code(), Some(0));
    let line = format!("release-server: warning: {warning}\n");
    assert_eq!(text(&output.stderr), line);
    let server = TestServer::with(&misspelt);
    let line = server.wait_for_line(|line| line["message"] == warning);
    assert_eq!(line["level"], "WARN");
}

#[test]
fn a_variable_that_is_not_utf_8_stops_the_start() {
    let mut command = command();
    command
        .env("AUTH_TOKEN", TOKEN)
        .env("MAX_PACKAGES", OsStr::from_bytes(b"1\xff"))
        .env("OF_ANOTHER_PROGRAM", OsStr::from_bytes(b"\xff"));
    let output = command.output().unwrap();
    assert_fails(&output, 1, "MAX_PACKAGES: the value is not UTF-8");
    let output = command
        .env("MAX_PACKAGES", "1")
        .arg("check-config")
        .output();
    assert_eq!(output.unwrap().status.code(), Some(0));
}

#[test]
fn a_token_that_no_client_can_send_is_refused() {
    let takes = "the value is not accepted; it takes text of at most 4096 bytes without control \
                 characters, quoted in YAML";
    let long = "x".repeat(4097);
    let output = run(&[], &[("AUTH_TOKEN", &long)]);
    assert_fails(&output, 1, &format!("AUTH_TOKEN: {takes}"));
    // The longest one can be sent.
    let longest = &long[1..];
    let server = TestServer::with(&[("AUTH_TOKEN", longest)]);
    let header = format!("Authorization: Bearer {longest}\r\n");
    let answer = server.request("PUT", "/assets/a.zip", &header, b"1");
    assert_eq!(answer.status, 201);
}

#[test]
fn files_of_settings_are_bounded_and_a_tokens_is_a_regular_one() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let large = directory.path().join("large");
    fs::write(&large, "x".repeat(5000)).unwrap();
    let (fifo, large) = (fifo.to_str().unwrap(), large.to_str().unwrap());
    for path in ["/dev/zero", fifo, directory.path().to_str().unwrap()] {
        let output = run(&["check-config"], &[("AUTH_TOKEN_FILE", path)]);
        let why = "cannot be read: it is not a regular file";
        assert_fails(&output, 1, &format!("AUTH_TOKEN_FILE: {path}: {why}"));
    }
    let output = run(&["check-config"], &[("AUTH_TOKEN_FILE", large)]);
    let why = "does not hold a token of at most 4096 bytes on one line";
    assert_fails(&output, 1, &format!("AUTH_TOKEN_FILE: {large}: {why}"));
    let output = run(&["check-config"], &[("CONFIG_PATH", "/dev/zero")]);
    let why = "CONFIG_PATH: /dev/zero cannot be read: it is over 1048576 bytes";
    assert_fails(&output, 1, why);
}

#[test]
fn an_option_for_a_setting_names_its_variable() {
    for (option, variable) in [("--port", "PORT"), ("--storage-path", "STORAGE_PATH")] {
        let output = run(&[option, "9000"], &[]);
        let line =
            format!("invalid option '{option}'; set {variable} instead; see release-server --help");
        assert_fails(&output, 2, &line);
    }
}
