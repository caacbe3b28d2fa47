//! Readers of single values: sizes, durations, switches, log filters, URLs.
//!
//! Invariant: each takes exactly what its key in [`super::keys`] says, and tells nothing but whether it did; the
//! sentence about it is made where the key is known.

use crate::http::authority;
use crate::pattern::Pattern;
use crate::text::is_url_path;
use std::net::IpAddr;
use std::time::Duration;

/// An IPv4 or IPv6 address, the latter in brackets or not.
pub fn address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

/// Bytes: digits, or digits with `KiB`, `MiB` or `GiB` behind them (`B` and blanks allowed, case as written by people).
pub fn size_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = split_number(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A duration in whole seconds: digits, or digits with `s` or `m` behind them. At most a day, which no shutdown needs.
pub fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = split_number(text)?;
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        _ => return None,
    };
    let seconds = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    (seconds <= 24 * 60 * 60).then(|| Duration::from_secs(seconds))
}

fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    (!digits.is_empty()).then(|| (digits, unit.trim_start()))
}

/// Patterns of names with commas between them.
pub fn patterns(text: &str) -> Vec<Pattern> {
    let patterns = text.split(',').map(str::trim);
    patterns
        .filter(|text| !text.is_empty())
        .map(Pattern::new)
        .collect()
}

/// A list of `level` and `module=level`, as `env_logger` reads it; checked here because that one only warns.
pub fn is_log_filter(text: &str) -> bool {
    let is_directive = |directive: &str| {
        let (module, level) = directive.rsplit_once('=').unwrap_or(("", directive));
        level.trim_ascii().parse::<log::LevelFilter>().is_ok()
            && module
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_:- ".contains(&byte))
    };
    text.split(',').all(is_directive)
}

/// The base of absolute URLs: `http` or `https`, an authority, a path of safe characters; without the slash at its end.
pub fn base_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = scheme.to_ascii_lowercase();
    let valid = matches!(scheme.as_str(), "http" | "https")
        && authority::parse(host.as_bytes()).is_some()
        && is_url_path(path);
    valid.then(|| format!("{scheme}://{host}{}", path.trim_end_matches('/')))
}
