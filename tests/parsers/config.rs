//! Settings: gathered from texts, layer over layer, and checked.
//!
//! Source: docs/contract.md, section 5: the table of settings and their defaults; later layers win.

use crate::properties::config::variables;
use release_server::config::keys;
use release_server::config::raw::{Raw, Setting};
use release_server::config::token::hash;
use release_server::config::{Address, Config};
use release_server::pattern::Pattern;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// The token in all settings here.
const SECRET: &str = "s3cret-t0ken";

/// Settings of a YAML document and of the environment, with a token.
pub fn raw(yaml: &str, pairs: &[(&str, &str)]) -> Raw {
    let mut raw = Raw::default();
    raw.add_yaml("config.yaml", yaml)
        .expect("a mapping of known keys");
    raw.add_variables(&variables(&[("AUTH_TOKEN", SECRET)]), "");
    raw.add_variables(&variables(pairs), "");
    raw
}

pub fn check(yaml: &str, pairs: &[(&str, &str)]) -> Config {
    Config::check(&raw(yaml, pairs)).unwrap_or_else(|error| panic!("{yaml:?}, {pairs:?}: {error}"))
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = check("", &[]);
    assert_eq!(
        config.address,
        Address {
            host: None,
            port: 8000
        }
    );
    assert_eq!(config.storage_path, Path::new("/data"));
    assert_eq!(config.max_packages, Some(100));
    assert_eq!(config.max_upload_bytes, Some(1 << 30));
    assert_eq!(config.public_url, None);
    assert!(!config.trust_forwarded);
    assert!((1..=1024).contains(&config.workers));
    assert_eq!(config.max_connections, 8192);
    assert_eq!(config.shutdown_delay, Duration::ZERO);
    assert_eq!(config.shutdown_grace, Duration::from_secs(25));
    assert_eq!(config.log_filter, "info");
    assert_eq!(
        config.tokens.shared.unwrap().hash(),
        hash(SECRET.as_bytes())
    );
    assert!(config.tokens.files.is_empty());
}

#[test]
fn every_setting_is_read_from_yaml_and_from_variables() {
    let yaml = "port: 0\nhost: '::1'\nstorage_path: /x y\nmax_packages: 7\nmax_upload_size: 5 MiB\n\
                public_url: https://a/b/\ntrust_forwarded: yes\nworkers: 3\nmax_connections: 9\n\
                shutdown_delay: 1m\nshutdown_grace: 2\nlog_level: warn\n";
    let pairs = [
        ("PORT", "0"),
        ("HOST", "::1"),
        ("STORAGE_PATH", "/x y"),
        ("MAX_PACKAGES", "7"),
        ("MAX_UPLOAD_SIZE", "5 MiB"),
        ("PUBLIC_URL", "https://a/b/"),
        ("TRUST_FORWARDED", "yes"),
        ("WORKERS", "3"),
        ("MAX_CONNECTIONS", "9"),
        ("SHUTDOWN_DELAY", "1m"),
        ("SHUTDOWN_GRACE", "2"),
        ("LOG_LEVEL", "warn"),
    ];
    for config in [check(yaml, &[]), check("", &pairs)] {
        let host = Some("::1".parse().unwrap());
        assert_eq!(config.address, Address { host, port: 0 });
        assert_eq!(config.storage_path, Path::new("/x y"));
        assert_eq!(config.max_packages, Some(7));
        assert_eq!(config.max_upload_bytes, Some(5 << 20));
        assert_eq!(config.public_url.as_deref(), Some("https://a/b"));
        assert!(config.trust_forwarded);
        assert_eq!((config.workers, config.max_connections), (3, 9));
        assert_eq!(config.shutdown_delay, Duration::from_mins(1));
        assert_eq!(config.shutdown_grace, Duration::from_secs(2));
        assert_eq!(config.log_filter, "warn");
    }
}

#[test]
fn values_may_be_written_as_yaml_has_them() {
    assert_eq!(check("port: '81'", &[]).address.port, 81);
    assert_eq!(check("port: \" 81 \"", &[]).address.port, 81);
    assert_eq!(
        check("host: '[::1]'", &[]).address.host,
        check("host: '::1'", &[]).address.host
    );
    assert!(check("trust_forwarded: true", &[]).trust_forwarded);
    assert!(check("trust_forwarded: 'on'", &[]).trust_forwarded);
    assert_eq!(
        check("max_upload_size: 1024", &[]).max_upload_bytes,
        Some(1024)
    );
    assert_eq!(check("# nothing\n---\n", &[]).address.port, 8000);
    assert_eq!(check("port:\nhost: ''\n", &[]).address.port, 8000);
    assert_eq!(
        check("max_packages: 0", &[]).max_packages,
        None,
        "0 keeps everything"
    );
    assert_eq!(
        check("max_upload_size: 0", &[]).max_upload_bytes,
        None,
        "0 is no limit"
    );
}

#[test]
fn later_layers_win() {
    assert_eq!(check("port: 1", &[("PORT", "2")]).address.port, 2);
    let mut raw = raw("port: 1\nworkers: 1\nmax_connections: 1", &[]);
    raw.add_variables(&variables(&[("PORT", "2"), ("WORKERS", "2")]), " in .env");
    raw.add_variables(
        &variables(&[("PORT", "3"), ("port", "4"), ("PORT_", "5")]),
        "",
    );
    let config = Config::check(&raw).unwrap();
    assert_eq!(
        (config.address.port, config.workers, config.max_connections),
        (3, 2, 1)
    );
    let setting = |text: &str, origin: &str| Setting {
        text: text.to_owned(),
        origin: origin.to_owned(),
    };
    assert_eq!(raw.setting(&keys::PORT), Some(&setting("3", "PORT")));
    assert_eq!(
        raw.setting(&keys::WORKERS),
        Some(&setting("2", "WORKERS in .env"))
    );
    let from_file = setting("1", "config.yaml: max_connections");
    assert_eq!(raw.setting(&keys::MAX_CONNECTIONS), Some(&from_file));
    assert_eq!(raw.setting(&keys::HOST), None);
}

#[test]
fn an_empty_variable_is_not_set() {
    assert_eq!(check("port: 1", &[("PORT", "")]).address.port, 1);
    assert_eq!(check("", &[("PORT", "")]).address.port, 8000);
    assert_eq!(
        check("", &[("LOG_LEVEL", ""), ("RUST_LOG", "debug")]).log_filter,
        "debug"
    );
    let both = [("RUST_LOG", "debug"), ("LOG_LEVEL", "warn")];
    assert_eq!(check("", &both).log_filter, "warn", "the first name counts");
}

#[test]
fn the_token_may_stand_in_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"  s3cret-t0ken\n").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let mut raw = Raw::default();
    raw.add_variables(&variables(&[("AUTH_TOKEN_FILE", &path)]), "");
    let config = Config::check(&raw).unwrap();
    assert_eq!(
        config.tokens.shared.unwrap().hash(),
        hash(SECRET.as_bytes())
    );
    file.write_all(b"more\n").unwrap();
    let error = Config::check(&raw)
        .map(drop)
        .expect_err("two lines")
        .to_string();
    assert_eq!(
        error,
        format!("AUTH_TOKEN_FILE: {path}: does not hold a token of at most 4096 bytes on one line")
    );
    raw.add_variables(&variables(&[("AUTH_TOKEN_FILE", "/nowhere/token")]), "");
    let error = Config::check(&raw)
        .map(drop)
        .expect_err("no file")
        .to_string();
    assert!(
        error.starts_with("AUTH_TOKEN_FILE: /nowhere/token: cannot be read: "),
        "{error}"
    );
}

#[test]
fn pinned_is_a_list_in_yaml_and_has_commas_in_variables() {
    let patterns = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| Pattern::new(text))
            .collect::<Vec<_>>()
    };
    assert_eq!(check("", &[]).pinned, patterns(&[]));
    assert_eq!(check("pinned: []", &[]).pinned, patterns(&[]));
    let expected = patterns(&["*.md", "a-v1.?.0*"]);
    assert_eq!(check("pinned: ['*.md', a-v1.?.0*]", &[]).pinned, expected);
    assert_eq!(check("pinned: '*.md, a-v1.?.0*,'", &[]).pinned, expected);
    assert_eq!(check("", &[("PINNED", "*.md,a-v1.?.0*")]).pinned, expected);
    let mut raw = Raw::default();
    let why = raw.add_yaml("config.yaml", "pinned: [{a: b}]").unwrap_err();
    assert!(
        why.to_string().contains("config.yaml: pinned: the value"),
        "{why}"
    );
    assert_eq!(check("", &[]).max_releases, None);
    assert_eq!(check("max_releases: 3", &[]).max_releases, Some(3));
}
