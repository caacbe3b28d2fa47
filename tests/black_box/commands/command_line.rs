//! The command line: commands, exit codes, and the one line about settings that are refused.

use crate::support::{TOKEN, TestServer, command, until};
use release_server::config::keys;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// Runs a command with these arguments and variables in an empty directory.
pub fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    command()
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(directory.path())
        .output()
        .unwrap()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Asserts failure with exactly this line on standard error.
pub fn assert_fails(output: &Output, code: i32, line: &str) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), format!("release-server: {line}\n"));
}

#[test]
fn help_and_version_go_to_standard_output() {
    for arguments in [["--help"], ["-h"]] {
        let output = run(&arguments, &[]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("Usage: release-server"));
        assert!(text(&output.stdout).lines().count() <= 25, "fits a screen");
    }
    let output = run(&["--version"], &[]);
    let version = concat!("release-server ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(text(&output.stdout), version);
}

#[test]
fn the_manual_has_every_command_option_and_setting() {
    let manual = include_str!("../../../docs/release-server.1");
    let words = format!(
        "{} .",
        manual.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    let assert_has = |item: &str| assert!(words.contains(item), "the manual lacks '{item}'");
    let help = run(&["--help"], &[]);
    let (_, commands) = text(&help.stdout).split_once("Commands:\n").unwrap();
    let (commands, options) = commands.split_once("\n\nOptions:\n").unwrap();
    let entries = |part: &str| -> Vec<String> {
        let entry = |line: &str| Some(line.strip_prefix("  ")?.split_once("  ")?.0.to_owned());
        let entries: Vec<_> = part
            .split("\n\n")
            .next()
            .unwrap()
            .lines()
            .filter_map(entry)
            .collect();
        entries
            .into_iter()
            .filter(|entry| !entry.is_empty())
            .collect()
    };
    let (commands, options) = (entries(commands), entries(options));
    assert_eq!(
        (commands.len(), options.len()),
        (7, 2),
        "{commands:?} {options:?}"
    );
    for command in commands {
        assert_has(&format!(".It Cm {command} "));
    }
    for option in options {
        assert_has(&format!(
            ".It Fl {} ",
            option.replace(", -", " , ").trim_start_matches('-')
        ));
    }
    for key in keys::ALL {
        let default = match key.default {
            "" => String::new(),
            default => format!(" [{default}]"),
        };
        let (variables, name, takes) = (key.variables.join(" , "), key.name, key.takes);
        assert_has(&format!(
            ".It Ev {variables} Pq Li {name} {takes}{default} ."
        ));
    }
}

#[test]
fn a_command_line_that_is_not_understood_is_exit_code_2() {
    for (arguments, line) in [
        (
            &["fly"][..],
            "unknown command 'fly'; see release-server --help",
        ),
        (
            &["--fly"],
            "invalid option '--fly'; see release-server --help",
        ),
        (
            &["--repair", "verify"],
            "invalid option '--repair'; see release-server --help",
        ),
        (
            &["copy", "--from", "/data"],
            "copy needs --from PLACE and --to PLACE; see release-server --help",
        ),
        (
            &["serve", "now"],
            "unexpected argument \"now\"; see release-server --help",
        ),
    ] {
        assert_fails(&run(arguments, &[]), 2, line);
    }
}

#[test]
fn bad_settings_stop_the_start_with_one_line() {
    let token = ("AUTH_TOKEN", TOKEN);
    for (variables, line) in [
        (
            &[][..],
            "AUTH_TOKEN: a token is required; set AUTH_TOKEN, AUTH_TOKEN_FILE or TOKENS_FILE, or \
                auth_token in the configuration file",
        ),
        (
            &[token, ("PORT", "70000")],
            "PORT: '70000' is not accepted; it takes a number from 0 to 65535 (0: any free port)",
        ),
        (
            &[token, ("HOST", "localhost")],
            "HOST: 'localhost' is not accepted; it takes an IPv4 or IPv6 address, such as \
                127.0.0.1 or ::1",
        ),
        (
            &[token, ("MAX_UPLOAD_SIZE", "1 GB")],
            "MAX_UPLOAD_SIZE: '1 GB' is not accepted; it takes a number of bytes, or a number \
                followed by KiB, MiB or GiB; 0 for no limit",
        ),
        (
            &[token, ("MAX_PACKAGES", "-1")],
            "MAX_PACKAGES: '-1' is not accepted; it takes a whole number; 0 keeps everything",
        ),
        (
            &[token, ("WORKERS", "0")],
            "WORKERS: '0' is not accepted; it takes a number from 1 to 1024",
        ),
        (
            &[("AUTH_TOKEN", "two\nlines")],
            "AUTH_TOKEN: the value is not accepted; it takes text of at most 4096 bytes without \
                control characters, quoted in YAML",
        ),
        (
            &[("AUTH_TOKEN_FILE", "/nonexistent")],
            "AUTH_TOKEN_FILE: /nonexistent: cannot be read: No such file or directory (os error 2)",
        ),
        (
            &[token, ("AUTH_TOKEN_FILE", "/nonexistent")],
            "AUTH_TOKEN and AUTH_TOKEN_FILE are both set; keep one of them",
        ),
        (
            &[token, ("CONFIG_PATH", "/nonexistent")],
            "CONFIG_PATH: /nonexistent cannot be read: No such file or directory (os error 2)",
        ),
    ] {
        assert_fails(&run(&[], variables), 1, line);
        assert_fails(&run(&["check-config"], variables), 1, line);
    }
}

#[test]
fn a_bad_file_is_named_with_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.yaml");
    let shown = path.to_str().unwrap();
    for (yaml, message) in [
        (
            "port: nine",
            "port: 'nine' is not accepted; it takes a number",
        ),
        ("ports: 9", "unknown key 'ports'; did you mean port?"),
        (
            "port: [9]",
            "port: the value is not accepted; it takes a number",
        ),
        (
            "auth_token: 12345",
            "auth_token: the value is not accepted; it takes text",
        ),
        ("- port", "not a YAML mapping"),
        ("port: 1\n\nport: 2", ": line 3 sets port again"),
        ("a: b: c", "line 1 is not YAML"),
    ] {
        fs::write(&path, yaml).unwrap();
        let output = run(
            &["check-config"],
            &[("CONFIG_PATH", shown), ("AUTH_TOKEN", TOKEN)],
        );
        assert_eq!(output.status.code(), Some(1), "{yaml}");
        let error = text(&output.stderr);
        assert!(
            error.contains(shown) && error.contains(message),
            "{yaml}: {error}"
        );
        assert_eq!(error.lines().count(), 1, "{yaml}: {error}");
    }
}

#[test]
fn later_layers_win() {
    let directory = tempfile::tempdir().unwrap();
    let yaml = directory.path().join("config.yaml");
    fs::write(
        &yaml,
        "port: 0\nhost: 127.0.0.1\nmax_packages: 1\nauth_token: from-yaml\n",
    )
    .unwrap();
    fs::write(
        directory.path().join(".env"),
        "MAX_PACKAGES=2\nAUTH_TOKEN=\"from-dotenv\"\n",
    )
    .unwrap();
    let mut start = command();
    start
        .env("CONFIG_PATH", &yaml)
        .env("STORAGE_PATH", directory.path().join("data"))
        .env("AUTH_TOKEN", TOKEN)
        .env("HOST", "")
        .current_dir(directory.path());
    let server = TestServer::spawn(start, &directory.path().join("data"));
    let line = server.wait_for_line(|line| line["message"] == "listening");
    assert_eq!(line["max_packages"], 2, ".env overrides the file");
    assert_eq!(
        server.put("a.zip", b"1").status,
        201,
        "the environment overrides .env"
    );
}

#[test]
fn an_unusable_setting_stops_the_start_with_one_line() {
    let taken = TestServer::start();
    let port = taken.port.to_string();
    let directory = tempfile::tempdir().unwrap();
    let storage = directory.path().to_str().unwrap();
    let variables = [
        ("AUTH_TOKEN", TOKEN),
        ("STORAGE_PATH", storage),
        ("HOST", "127.0.0.1"),
        ("PORT", &port),
    ];
    let line = format!(
        "cannot listen on 127.0.0.1:{port}: Address already in use (os error 98); set PORT or HOST \
            to listen elsewhere"
    );
    assert_fails(&run(&[], &variables), 1, &line);
    let variables = [&variables[..2], &variables[3..]].concat();
    let line = line.replace("127.0.0.1:", "port ");
    assert_fails(&run(&[], &variables), 1, &line);
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let storage = file.to_str().unwrap();
    let variables = [
        ("AUTH_TOKEN", TOKEN),
        ("STORAGE_PATH", storage),
        ("PORT", "0"),
    ];
    let line = format!(
        "{storage}: cannot be used: it is not a directory; set STORAGE_PATH to a writable \
            directory"
    );
    assert_fails(&run(&[], &variables), 1, &line);
}

#[test]
fn a_start_on_a_directory_that_cannot_be_written_says_so() {
    const NOBODY: u32 = 65534;
    let directory = tempfile::tempdir().unwrap();
    // The project's directory may be closed to user `nobody`, so a copy of the program runs.
    let (program, storage) = (
        directory.path().join("program"),
        directory.path().join("data"),
    );
    fs::copy(env!("CARGO_BIN_EXE_release-server"), &program).unwrap();
    fs::create_dir(&storage).unwrap();
    for (path, mode) in [(directory.path(), 0o755), (&storage, 0o555)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut start = Command::new(program);
    start
        .env_clear()
        .envs([("CONFIG_PATH", "/dev/null"), ("AUTH_TOKEN", TOKEN)])
        .envs([("HOST", "127.0.0.1"), ("PORT", "0")])
        .env("STORAGE_PATH", &storage)
        .current_dir(directory.path());
    if rustix::process::geteuid().is_root() {
        start.uid(NOBODY);
    }
    let server = TestServer::spawn(start, &storage);
    let line = server.wait_for_line(|line| line["level"] == "WARN");
    let error = format!(
        "cannot write to the directory {}: Permission denied (os error 13)",
        storage.display()
    );
    assert_eq!(line["error"], error);
    server
        .put("a.zip", b"1")
        .assert_error(500, "Permission denied");
}

#[test]
fn a_token_file_counts_soon_after_it_changes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let path = file.to_str().unwrap();
    let server = TestServer::with(&[("AUTH_TOKEN", ""), ("AUTH_TOKEN_FILE", path)]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    fs::write(&file, "rotated").unwrap();
    until(|| (server.put("b.zip", b"").status == 401).then_some(()));
    let rotated = "Authorization: Bearer rotated\r\n";
    assert_eq!(
        server.request("PUT", "/assets/b.zip", rotated, b"1").status,
        201
    );
    fs::remove_file(&file).unwrap();
    let unusable = "the file cannot be used; its last content counts";
    server.wait_for_line(|line| line["message"] == unusable);
    let answer = server.request("PUT", "/assets/c.zip", rotated, b"1");
    assert_eq!(answer.status, 201, "the last good token stays");
}
