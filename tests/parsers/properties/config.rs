//! Settings as a whole: one line of reason or a configuration within its bounds; neither shows the
//! token.
//!
//! Source: docs/contract.md, section 5; the invariants of `config`.

use super::random::Random;
use release_server::config::raw::Raw;
use release_server::config::token::Token;
use release_server::config::{Config, ConfigError, keys};
use std::collections::HashMap;
use std::time::Duration;

/// Every property of settings. The input is a YAML document, the text of a `.env`, and the value of
/// one variable.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let mut raw = with_workers();
    match raw.add_yaml("config.yaml", text) {
        Ok(()) => check_settings(raw),
        Err(error) => {
            assert_is_one_line(&error);
            assert!(error.0.starts_with("config.yaml: "), "{error}");
        }
    }
    if let Ok(variables) = dotenvy::from_read_iter(text.as_bytes()).collect() {
        let mut raw = with_workers();
        raw.add_variables(&variables, " in .env");
        check_settings(raw);
    }
    let key = Random::of(input).pick(keys::ALL);
    let mut raw = with_workers();
    raw.add_variables(&variables(&[(key.variables[0], text)]), "");
    check_settings(raw);
}

/// Settings that each input may override. Without a number of workers the cores would be counted,
/// which is slow.
fn with_workers() -> Raw {
    let mut raw = Raw::default();
    raw.add_variables(&variables(&[("WORKERS", "3")]), "");
    raw
}

/// Variables of an environment, or of a `.env`.
pub fn variables(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn assert_is_one_line(error: &ConfigError) {
    assert!(!error.0.contains(char::is_control), "{error:?}");
}

fn check_settings(mut raw: Raw) {
    // Otherwise a file that the input names would be read.
    if raw.setting(&keys::AUTH_TOKEN_FILE).is_some() {
        return;
    }
    let with_own_token = Config::check(&raw);
    let own_token = raw.setting(&keys::AUTH_TOKEN);
    let is_good = own_token.is_some_and(|token| Token::fixed(&token.text).is_some());
    raw.add_variables(&variables(&[("AUTH_TOKEN", "another")]), "");
    let with_another = Config::check(&raw);
    if is_good {
        // No output depends on the token.
        let (own, another) = (format!("{with_own_token:?}"), format!("{with_another:?}"));
        assert_eq!(own, another);
    }
    if let Err(error) = &with_own_token {
        assert_is_one_line(error);
    }
    match &with_another {
        Ok(config) => check_config(config),
        Err(error) => assert_is_one_line(error),
    }
}

fn check_config(config: &Config) {
    assert!((1..=1024).contains(&config.workers), "{config:?}");
    assert!(
        (1..=1_000_000).contains(&config.max_connections),
        "{config:?}"
    );
    assert!(config.idle_timeout >= Duration::from_secs(1), "{config:?}");
    for time in [
        config.shutdown_delay,
        config.shutdown_grace,
        config.idle_timeout,
    ] {
        assert!(time <= Duration::from_hours(24), "{config:?}");
    }
    assert!(config.max_packages != Some(0), "{config:?}");
    assert!(config.max_upload_bytes != Some(0), "{config:?}");
    let mut raw = Raw::default();
    raw.add_variables(&written(config), "");
    let again = Config::check(&raw).map(|config| without_pinned(&config));
    assert_eq!(again, Ok(without_pinned(config)));
}

/// All settings except the patterns, some of which cannot be written as a variable.
fn without_pinned(config: &Config) -> String {
    let pinned = format!("pinned: {:?}, ", config.pinned);
    format!("{config:?}").replace(&pinned, "")
}

/// The variables that give the same settings, except the patterns.
fn written(config: &Config) -> HashMap<String, String> {
    let host = config.address.host.map(|host| host.to_string());
    let files = config
        .tokens
        .files
        .iter()
        .map(|file| file.to_string_lossy());
    variables(&[
        ("AUTH_TOKEN", "another"),
        (
            "ISSUERS_CA_FILE",
            &config
                .tokens
                .issuers_ca_file
                .as_ref()
                .map_or_else(String::new, |file| file.to_string_lossy().into_owned()),
        ),
        ("TOKENS_FILE", &files.collect::<Vec<_>>().join(",")),
        ("PORT", &config.address.port.to_string()),
        ("HOST", &host.unwrap_or_default()),
        ("STORAGE_PATH", &config.storage_path.to_string_lossy()),
        (
            "MAX_PACKAGES",
            &config.max_packages.unwrap_or(0).to_string(),
        ),
        (
            "MAX_RELEASES",
            &config.max_releases.unwrap_or(0).to_string(),
        ),
        (
            "LOG_FORMAT",
            &format!("{:?}", config.log_format).to_ascii_lowercase(),
        ),
        (
            "MAX_UPLOAD_SIZE",
            &config.max_upload_bytes.unwrap_or(0).to_string(),
        ),
        (
            "PUBLIC_URL",
            config.public_url.as_deref().unwrap_or_default(),
        ),
        ("TRUST_FORWARDED", &config.trust_forwarded.to_string()),
        ("WORKERS", &config.workers.to_string()),
        ("MAX_CONNECTIONS", &config.max_connections.to_string()),
        (
            "IDLE_TIMEOUT",
            &format!("{}s", config.idle_timeout.as_secs()),
        ),
        (
            "SHUTDOWN_DELAY",
            &format!("{}s", config.shutdown_delay.as_secs()),
        ),
        (
            "SHUTDOWN_GRACE",
            &format!("{}s", config.shutdown_grace.as_secs()),
        ),
        ("LOG_LEVEL", &config.log_filter),
    ])
}
