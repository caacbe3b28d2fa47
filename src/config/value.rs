//! Readers of single values: addresses, sizes, durations, patterns, log filters, URLs.
//!
//! Invariant: each accepts exactly what the description of its key in `config::keys` says and
//! reports no reason; `config::raw`, which knows the key, writes the sentence.

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

/// A number of bytes: digits, optionally followed by `B`, `KiB`, `MiB` or `GiB` in any case, with
/// or without a space before the unit.
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

/// A duration in whole seconds: digits, optionally followed by `s` or `m`. At most a day, which is
/// more than any shutdown needs.
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

/// Patterns of names, separated by commas.
pub fn patterns(text: &str) -> Vec<Pattern> {
    let patterns = text.split(',').map(str::trim);
    patterns
        .filter(|text| !text.is_empty())
        .map(Pattern::new)
        .collect()
}

/// Whether the text is a list of `level` and `module=level`, which `env_logger` reads. Checked here
/// because `env_logger` only warns.
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

/// The base of absolute URLs: `http` or `https`, an authority, and a path of safe characters. The
/// result has no slash at its end.
pub fn base_url(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = scheme.to_ascii_lowercase();
    let valid = matches!(scheme.as_str(), "http" | "https")
        && authority::parse(host.as_bytes()).is_some()
        && is_url_path(path);
    valid.then(|| format!("{scheme}://{host}{}", path.trim_end_matches('/')))
}
