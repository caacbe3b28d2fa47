//! Unusable settings: one sentence each, which never shows the token.
//!
//! Source: docs/contract.md, section 5: an unknown key or a bad value stops the start with one line
//! that names the file or variable, the key and what it takes; the token is never logged.

use crate::config::{check, raw};
use crate::properties::config::variables;
use release_server::config::Config;
use release_server::config::keys::{self, Key};
use release_server::config::raw::Raw;

/// Bad values for each setting, in YAML and in variables alike.
pub const BAD_VALUES: &[(&Key, &[&str])] = &[
    (&keys::PORT, &["65536", "-1", "1.5", "x", "80 80", "0x50"]),
    (
        &keys::HOST,
        &["localhost", "0.0.0.0:80", "256.1.1.1", "example.org", "::g"],
    ),
    (
        &keys::MAX_PACKAGES,
        &["-1", "1.5", "many", "1e3", "99999999999999999999"],
    ),
    (
        &keys::MAX_UPLOAD_SIZE,
        &["-1", "1.5GiB", "1GB", "big", "99999999999999999999"],
    ),
    (
        &keys::PUBLIC_URL,
        &["example.org", "ftp://a", "http://a?b", "http://u:p@a"],
    ),
    (&keys::TRUST_FORWARDED, &["maybe", "2", "tru"]),
    (&keys::WORKERS, &["0", "1025", "-1", "auto"]),
    (&keys::MAX_CONNECTIONS, &["0", "1000001", "all"]),
    (&keys::SHUTDOWN_DELAY, &["-1", "1h", "86401", "soon"]),
    (&keys::SHUTDOWN_GRACE, &["-1", "1.5", "1441m", "never"]),
    (&keys::LOG_LEVEL, &["loud", "info,", "release_server"]),
];

/// The reason why a YAML document cannot be used, for its keys or for its values.
fn refusal_of(yaml: &str) -> String {
    let mut raw = Raw::default();
    let checked = raw
        .add_yaml("config.yaml", yaml)
        .and_then(|()| Config::check(&raw));
    checked.map(drop).expect_err(yaml).to_string()
}

#[test]
fn bad_values_are_refused_in_one_sentence() {
    for (key, values) in BAD_VALUES {
        for value in *values {
            let sentence = format!("'{value}' is not accepted; it takes {}", key.takes);
            let yaml = format!("{}: '{value}'", key.name);
            let error = Config::check(&raw(&yaml, &[]))
                .expect_err(&yaml)
                .to_string();
            assert_eq!(error, format!("config.yaml: {}: {sentence}", key.name));
            for variable in key.variables {
                let raw = raw("", &[(variable, value)]);
                let error = Config::check(&raw).expect_err(variable).to_string();
                assert_eq!(error, format!("{variable}: {sentence}"));
            }
        }
    }
}

#[test]
fn the_sentences_read_like_this() {
    let port = "config.yaml: port: 'x' is not accepted; it takes a number from 0 to 65535 (0: any \
        free port)";
    assert_eq!(refusal_of("port: x"), port);
    let list = "config.yaml: port: the value is not accepted; it takes a number from 0 to 65535 \
        (0: any free port)";
    assert_eq!(refusal_of("port: [80]"), list);
    assert_eq!(refusal_of("port: {a: b}"), list);
    let number = "config.yaml: auth_token: the value is not accepted; \
                  it takes text of at most 4096 bytes without control characters, quoted in YAML";
    assert_eq!(refusal_of("auth_token: 12345"), number);
    assert_eq!(refusal_of("auth_token: true"), number);
    assert_eq!(refusal_of("auth_token: \"a\\nb\""), number);
    let known: Vec<&str> = keys::ALL.iter().map(|key| key.name).collect();
    let known = known.join(", ");
    let unknown = format!("config.yaml: unknown key 'wings'; known are {known}");
    assert_eq!(refusal_of("wings: 80"), unknown);
    for (yaml, near) in [
        ("PORT: 80", "port"),
        ("prot: 80", "port"),
        ("max-package: 1", "max_packages"),
    ] {
        let name = yaml.split(':').next().unwrap();
        let hint = format!("config.yaml: unknown key '{name}'; did you mean {near}?");
        assert_eq!(refusal_of(yaml), hint);
    }
    let missing = "AUTH_TOKEN: a token is required; set AUTH_TOKEN, AUTH_TOKEN_FILE or \
        TOKENS_FILE, or auth_token in the configuration file";
    assert_eq!(refusal_of(""), missing);
    assert_eq!(refusal_of("auth_token: ''"), missing);
    let both =
        "config.yaml: auth_token and config.yaml: auth_token_file are both set; keep one of them";
    assert_eq!(refusal_of("auth_token: a\nauth_token_file: b"), both);
}

#[test]
fn yaml_other_than_a_mapping_is_refused_in_one_line() {
    for yaml in ["port", "- port", "17"] {
        let error = refusal_of(yaml);
        assert_eq!(error, "config.yaml: not a YAML mapping of keys to values");
    }
    for (yaml, line) in [
        ("port: [", 2),
        ("a: b: c", 1),
        ("\tport: 1", 1),
        ("host: x\nport: 'x", 2),
        ("{", 2),
        ("port: *a", 1),
    ] {
        let expected = format!("config.yaml: line {line} is not YAML, or sets a key twice");
        assert_eq!(refusal_of(yaml), expected, "{yaml}");
    }
}

#[test]
fn a_key_that_is_set_twice_is_named_with_its_line() {
    for (yaml, message) in [
        ("port: 1\nport: 2", "line 2 sets port again"),
        (
            "host: ::1\n'port': 1\n# port: 3\n\"port\": 2\nhost: ::1",
            "line 4 sets port again",
        ),
        (
            "{port: 1, port: 2}",
            "line 1 is not YAML, or sets a key twice",
        ),
    ] {
        assert_eq!(
            refusal_of(yaml),
            format!("config.yaml: {message}"),
            "{yaml}"
        );
    }
}

/// Wrong ways to write the token. No message may show the token, because standard error ends up in
/// logs.
pub const MISTAKES: &[&str] = &[
    "auth_token: [s3cret-t0ken]",
    "auth_token: {s3cret-t0ken: a}",
    "auth_token: 's3cret-t0ken",
    "auth_token: \"s3cret-t0ken\\tmore\"",
    "auth_token: |\n  s3cret-t0ken\n  more",
    "auth_token: *s3cret-t0ken",
    "auth_token: !s3cret-t0ken a",
    "auth_token: s3cret-t0ken\nauth_token: s3cret-t0ken",
    "auth_token: s3cret-t0ken\nport: x",
    "auth_token: s3cret-t0ken\nauth_token_file: /x",
    "auth_token: s3cret-t0ken: x",
    "- auth_token: s3cret-t0ken",
    "port: 80\nauth_token=s3cret-t0ken",
];

#[test]
fn no_message_shows_the_token() {
    for yaml in MISTAKES {
        let error = refusal_of(yaml);
        assert!(!error.contains("s3cret"), "{error}");
    }
    for token in ["s3cret\u{7}", "s3cret\nmore", "\0s3cret"] {
        let mut raw = Raw::default();
        raw.add_variables(&variables(&[("AUTH_TOKEN", token)]), " in .env");
        let error = Config::check(&raw)
            .map(drop)
            .expect_err("a control character")
            .to_string();
        assert!(
            error.starts_with("AUTH_TOKEN in .env: the value is not accepted"),
            "{error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
    }
    // Reading the token through the table of keys never shows it, whatever type is asked for.
    let read = raw("", &[]).read(&keys::AUTH_TOKEN, |_| None::<()>);
    let error = read.expect_err("nothing is wanted").to_string();
    assert!(
        error.starts_with("AUTH_TOKEN: the value is not accepted"),
        "{error}"
    );
    let config = format!("{:?}", check("", &[]));
    assert!(!config.contains("s3cret"), "{config}");
}

#[test]
fn no_message_shows_the_token_of_a_file_that_is_one_word() {
    for yaml in [
        "auth_token=s3cret-t0ken",
        "auth_token:s3cret-t0ken",
        "s3cret-t0ken",
        "AUTH_TOKEN=s3cret-t0ken\n",
    ] {
        let error = refusal_of(yaml);
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn numbers_and_addresses_are_taken_as_they_are_documented() {
    for (key, value) in [
        (&keys::PORT, "+80"),
        (&keys::MAX_PACKAGES, "+5"),
        (&keys::WORKERS, "+3"),
        (&keys::HOST, "[127.0.0.1"),
        (&keys::HOST, "::1]"),
        (&keys::HOST, "[[::1]]"),
    ] {
        let raw = raw("", &[(key.variables[0], value)]);
        assert!(
            Config::check(&raw).is_err(),
            "{value} is taken for {}",
            key.name
        );
    }
}

#[test]
fn a_blank_path_is_refused() {
    let sentence = "'' is not accepted; it takes the path of a directory";
    let error = refusal_of("storage_path: ' '");
    assert_eq!(error, format!("config.yaml: storage_path: {sentence}"));
    let error = Config::check(&raw("", &[("STORAGE_PATH", " \t")])).map(drop);
    let error = error.expect_err("blanks").to_string();
    assert_eq!(error, format!("STORAGE_PATH: {sentence}"));
}

#[test]
fn a_text_with_a_line_end_is_refused_in_one_line() {
    for yaml in ["port: \"a\\nb\"", "\"po\\nrt\": 80", "workers: \"\\e[31m\""] {
        let error = refusal_of(yaml);
        assert!(!error.contains(char::is_control), "{error:?}");
    }
    let raw = raw("", &[("PORT", "80\n81")]);
    let error = Config::check(&raw)
        .map(drop)
        .expect_err("two lines")
        .to_string();
    assert!(!error.contains(char::is_control), "{error:?}");
}
