//! Single values of settings: an accepted value can be written plainly and is read the same; a
//! little more is refused.
//!
//! Source: docs/contract.md, section 5; the invariants of `config::value`.

use super::target::check_authority;
use release_server::config::value::{address, base_url, duration, is_log_filter, size_bytes};
use release_server::text::{is_url_path, number, switch};
use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

/// Every property of values.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    check_number::<u16>(text);
    check_number::<usize>(text);
    check_size(text);
    check_duration(text);
    check_address(text);
    check_base_url(text);
    if let Some(on) = switch(text) {
        assert!(text.len() <= "false".len(), "{text:?}");
        assert_eq!(switch(&on.to_string()), Some(on), "{text:?}");
        assert_eq!(switch(&text.to_ascii_uppercase()), Some(on), "{text:?}");
    }
    if is_log_filter(text) {
        assert!(text.is_ascii(), "{text:?}");
        assert!(text.split(',').all(is_log_filter), "{text:?}");
        assert!(is_log_filter(&format!("{text},info")), "{text:?}");
    }
    if is_url_path(text) {
        assert!(text.is_empty() || text.starts_with('/'), "{text:?}");
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    }
}

fn check_number<T: FromStr + Display>(text: &str) {
    if let Some(number) = number::<T>(text) {
        let shortest = match text.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        assert_eq!(number.to_string(), shortest, "{text:?}");
    }
}

fn check_size(text: &str) {
    let Some(bytes) = size_bytes(text) else {
        return;
    };
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let number = digits.parse::<u64>().expect("a number");
    assert!(number <= bytes, "{text:?}");
    for (unit, factor) in [
        ("", 1),
        (" KiB", 1 << 10),
        ("mib", 1 << 20),
        ("GIB", 1 << 30),
    ] {
        if bytes % factor == 0 {
            let again = format!("{}{unit}", bytes / factor);
            assert_eq!(size_bytes(&again), Some(bytes), "{text:?}, {again:?}");
        }
    }
    assert_eq!(size_bytes(&format!("0{text}")), Some(bytes), "{text:?}");
    for longer in [format!("-{text}"), format!(" {text}"), format!("{text}x")] {
        assert_eq!(size_bytes(&longer), None, "{longer:?}");
    }
}

fn check_duration(text: &str) {
    let Some(time) = duration(text) else {
        return;
    };
    assert!(time <= Duration::from_hours(24), "{text:?}");
    assert_eq!(time.subsec_nanos(), 0, "{text:?}");
    let seconds = time.as_secs();
    for again in [format!("{seconds}"), format!("0{seconds} s")] {
        assert_eq!(duration(&again), Some(time), "{text:?}, {again:?}");
    }
    for longer in [format!("-{text}"), format!(" {text}"), format!("{text}x")] {
        assert_eq!(duration(&longer), None, "{longer:?}");
    }
}

fn check_address(text: &str) {
    if let Some(found) = address(text) {
        assert_eq!(address(&found.to_string()), Some(found), "{text:?}");
        let in_brackets = address(&format!("[{found}]"));
        assert_eq!(
            in_brackets.is_some(),
            matches!(found, IpAddr::V6(_)),
            "{text:?}"
        );
    }
}

fn check_base_url(text: &str) {
    let Some(base) = base_url(text) else {
        return;
    };
    let (scheme, rest) = base.split_once("://").expect("a scheme");
    assert!(matches!(scheme, "http" | "https"), "{text:?}");
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    assert!(check_authority(host.as_bytes()), "{text:?}");
    assert!(is_url_path(path) && !path.ends_with('/'), "{text:?}");
    assert!(!path.contains(['"', '<', '>', '?', '#', '\\']), "{text:?}");
    assert_eq!(base_url(&format!("{base}/")), Some(base), "{text:?}");
}
