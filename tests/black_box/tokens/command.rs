//! `release-server token`: makes tokens that the server takes, and recognises them.

use crate::commands::command_line::{assert_fails, run, text};
use crate::support::{TestServer, command};
use release_server::date;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

/// Runs `token check` with this text on standard input.
fn check(file: &Path, token: &str) -> Output {
    let mut child = command()
        .args(["token", "check"])
        .env("TOKENS_FILE", file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(token.as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

#[test]
fn a_new_token_is_printed_once_with_its_entry_and_is_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let options = [
        "token",
        "new",
        "ci",
        "--may",
        "publish,overwrite",
        "--names=a*, \"b?\"",
        "--expires",
        "90d",
    ];
    let output = run(&options, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let (token, entry) = text(&output.stdout).split_once('\n').unwrap();
    let checked = |token: &str| token.len() == 39 && token.starts_with("rs_");
    assert!(checked(token), "{token}");
    assert!(!entry.contains(token));
    let lines = "  may: [publish, overwrite]\n  names: [\"a*\", \"\\\"b?\\\"\"]\n  expires: ";
    assert!(entry.contains(lines), "{entry}");
    let expires = entry.trim_end().rsplit_once("expires: ").unwrap().1;
    let left = date::parse_rfc3339(expires)
        .unwrap()
        .duration_since(std::time::SystemTime::now());
    assert!(
        (89 * 24..=90 * 24).contains(&(left.unwrap().as_secs() / 3600)),
        "{expires}"
    );
    fs::write(&file, format!("tokens:\n{entry}")).unwrap();
    let output = check(&file, &format!("{token}\n"));
    let may = "ci: may publish and overwrite packages whose names match 'a*' or '\"b?\"'\n";
    assert_eq!((text(&output.stdout), output.status.code()), (may, Some(0)));
    let other = run(&["token", "new", "other"], &[]);
    let (other, entry) = text(&other.stdout).split_once('\n').unwrap();
    assert_ne!(other, token);
    assert!(entry.ends_with("  may: [publish]\n"), "{entry}");
    assert_fails(&check(&file, other), 1, "The token is wrong");
    let mistyped = "The token is mistyped or cut off: its checksum does not fit; copy it again";
    assert_fails(&check(&file, &token[..38]), 1, mistyped);
    let server = TestServer::with(&[("TOKENS_FILE", file.to_str().unwrap())]);
    let field = format!("Authorization: token {token}\r\n");
    assert_eq!(
        server.request("PUT", "/assets/a.zip", &field, b"1").status,
        201
    );
    let outdated = entry.replace("may", "expires: 2020-01-01T00:00:00Z\n  may");
    fs::write(&file, format!("tokens:\n{outdated}")).unwrap();
    let why = "The token 'other' expired at 2020-01-01T00:00:00Z";
    assert_fails(&check(&file, other), 1, why);
}

#[test]
fn what_the_command_does_not_take_is_refused_in_one_line() {
    let name = "cannot be a token's name, which takes 1 to 64 letters, digits, '.', '_' and '-', \
                other than the word auth_token";
    for (arguments, line) in [
        (
            &["token"][..],
            "'token' takes the word new or check".to_owned(),
        ),
        (
            &["token", "old"],
            "'token' takes the word new or check, not 'old'".to_owned(),
        ),
        (
            &["token", "new"],
            "'token new' takes the name of the token".to_owned(),
        ),
        (&["token", "new", "a b"], format!("'a b' {name}")),
        (
            &["token", "new", "auth_token"],
            format!("'auth_token' {name}"),
        ),
        (
            &["token", "new", "a", "--may", "write"],
            "may: the value is missing or not accepted; it takes a list of publish, overwrite and \
             delete"
                .to_owned(),
        ),
        (
            &["token", "new", "a", "--may=overwrite"],
            "may: overwrite needs publish beside it".to_owned(),
        ),
        (
            &["token", "new", "a", "--expires", "soon"],
            "--expires takes a number of days such as 90d, or a time such as 2027-01-31T12:00:00Z"
                .to_owned(),
        ),
    ] {
        let line = format!("{line}; see release-server --help");
        assert_fails(&run(arguments, &[]), 2, &line);
    }
}
