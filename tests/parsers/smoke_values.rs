//! Whatever text comes from a client or an operator: no reader panics, and none says what cannot be.
//!
//! The counterpart of `smoke` for the readers that take text: 20,000 inputs each, the same in every run.
//!
//! Sources: the invariants at the head of each module.

use crate::smoke::smoke;
use crate::{authority, config_refusals, date, disposition, head_refused, name, target, value};
use release_server::config::Config;
use release_server::config::keys;
use release_server::config::raw::Raw;
use release_server::config::value::{
    base_url, duration, is_log_filter, is_url_path, size_bytes, switch,
};
use release_server::date::{http, parse, whole_seconds};
use release_server::http::disposition::attachment;
use release_server::http::target::{Target, decode_segment};
use release_server::storage::PackageName;
use std::collections::HashMap;
use std::time::Duration;

/// Calls `check` with texts, of which some are random and most are mutations of `entries`.
fn smoke_text<'a>(
    seed: u64,
    entries: impl IntoIterator<Item = &'a str>,
    mut check: impl FnMut(&str),
) {
    let entries: Vec<Vec<u8>> = entries
        .into_iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    smoke(seed, &entries, |input, _| {
        check(&String::from_utf8_lossy(input));
    });
}

#[test]
fn authorities() {
    let others = head_refused::REFUSED_HOSTS.iter().chain(authority::INVALID);
    let entries: Vec<Vec<u8>> = others.map(|bytes| bytes.to_vec()).collect();
    smoke(20, &entries, |input, _| {
        if let Some(text) = release_server::http::authority::parse(input) {
            assert_eq!(text.as_bytes(), input);
            assert!(
                !text.contains(['/', '?', '#', '@', '\\', '"', '<', '>', ' ']),
                "{text:?}"
            );
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
        }
    });
}

#[test]
fn targets() {
    let valid = target::VALID.iter().map(|(text, ..)| *text);
    let refused = target::REFUSED.iter().map(|(text, _)| *text);
    let queries = target::PARAMETERS.iter().map(|(query, ..)| *query);
    smoke_text(21, valid.chain(refused).chain(queries), |text| {
        if let Ok(target) = Target::parse(text) {
            assert!(
                target.path.starts_with('/') || target.path == "*",
                "{text:?}"
            );
            assert!(!target.path.contains(['?', '#']), "{text:?}");
            assert!(!target.query.contains('#'), "{text:?}");
            assert!(
                target.parameter("a").is_none() || target.query.contains(['a', '%']),
                "{text:?}"
            );
        }
        let query = Target {
            path: "/",
            query: text,
            authority: None,
        };
        assert!(
            query
                .parameter("a")
                .is_none_or(|value| value.len() <= 3 * text.len()),
            "{text:?}"
        );
    });
}

#[test]
fn segments() {
    smoke_text(
        22,
        target::SEGMENTS.iter().map(|(segment, _)| *segment),
        |text| {
            if let Some(decoded) = decode_segment(text) {
                assert!(decoded.len() <= text.len(), "{text:?}");
                // Nothing is decoded but what a percent sign begins.
                assert!(text.contains('%') || decoded == text, "{text:?}");
            }
        },
    );
}

#[test]
fn dates() {
    let written = date::WRITTEN
        .iter()
        .flat_map(|(_, as_http, as_json)| [*as_http, *as_json]);
    let obsolete = date::OBSOLETE.iter().map(|(_, text)| *text);
    let refused = date::REFUSED.iter().copied();
    smoke_text(23, written.chain(obsolete).chain(refused), |text| {
        if let Some(time) = parse(text) {
            assert_eq!(whole_seconds(time), time, "{text:?}");
            assert_eq!(parse(&http(time)), Some(time), "{text:?}");
        }
    });
}

#[test]
fn settings() {
    let texts = |table: &[(&'static str, _)]| -> Vec<&'static str> {
        table.iter().map(|(text, _)| *text).collect()
    };
    let durations = value::DURATIONS.iter().map(|(text, _)| *text);
    let switches = value::SWITCHES.iter().map(|(text, _)| *text);
    let filters = value::LOG_FILTERS.iter().map(|(text, _)| *text);
    let urls = value::BASE_URLS.iter().map(|(text, _)| *text);
    let entries = texts(value::SIZES)
        .into_iter()
        .chain(durations)
        .chain(switches)
        .chain(filters)
        .chain(urls);
    smoke_text(24, entries, |text| {
        let has_digit = text.contains(|character: char| character.is_ascii_digit());
        assert!(size_bytes(text).is_none() || has_digit, "{text:?}");
        assert!(
            duration(text).is_none_or(|time| has_digit && time <= Duration::from_hours(24)),
            "{text:?}"
        );
        assert!(switch(text).is_none() || text.len() <= 5, "{text:?}");
        assert!(!is_log_filter(text) || text.is_ascii(), "{text:?}");
        assert!(
            !is_url_path(text) || text.is_empty() || text.starts_with('/'),
            "{text:?}"
        );
        if let Some(base) = base_url(text) {
            assert!(
                base.starts_with("http://") || base.starts_with("https://"),
                "{text:?}"
            );
            assert!(!base.ends_with('/'), "{text:?}");
            assert!(
                !base.contains(['"', '<', '>', '?', '#', '\\', ' ']),
                "{text:?}"
            );
            assert!(base.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
            assert_eq!(base_url(&base).as_ref(), Some(&base), "{text:?}");
        }
    });
}

#[test]
fn documents_and_variables() {
    let mistakes = config_refusals::MISTAKES.iter().copied();
    let good = [
        "port: 80\nhost: '::1'\nauth_token: abc\n",
        "max_packages: 5\ntrust_forwarded: on\nauth_token: 'a'",
    ];
    smoke_text(25, mistakes.chain(good), |text| {
        let mut raw = Raw::default();
        let refused = raw
            .add_yaml("config.yaml", text)
            .and_then(|()| Config::check(&raw))
            .err();
        let message = refused.map(|error| error.to_string()).unwrap_or_default();
        assert!(!message.contains(['\n', '\r']), "{text:?}: {message:?}");
        let mut raw = Raw::default();
        let all = keys::ALL
            .iter()
            .flat_map(|key| key.variables)
            .filter(|name| **name != "AUTH_TOKEN_FILE");
        raw.add_variables(
            &all.map(|name| ((*name).to_owned(), text.to_owned()))
                .collect::<HashMap<_, _>>(),
            "",
        );
        if let Ok(config) = Config::check(&raw) {
            assert!((1..=1024).contains(&config.workers), "{text:?}");
        }
    });
}

#[test]
fn names() {
    let valid = name::VALID.iter().copied();
    let refused = name::REFUSED.iter().map(|(text, _)| *text);
    let hard = disposition::NAMES.iter().copied();
    smoke_text(26, valid.chain(refused).chain(hard), |text| {
        let value = attachment(text);
        assert!(
            value.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{text:?}"
        );
        if PackageName::parse(text).is_ok() {
            let (plain, extended) = disposition::read_attachment(&value);
            assert_eq!(extended.as_ref().unwrap_or(&plain), text);
        }
    });
}
