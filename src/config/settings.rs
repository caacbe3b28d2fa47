//! All settings, checked.
//!
//! Invariant: what holds a value of type [`Config`] need not check any of it again.

use super::keys::{self, Key};
use super::raw::{Raw, refusal};
use super::token::Token;
use super::{ConfigError, value};
use crate::log;
use crate::pattern::Pattern;
use crate::text::{number, switch};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address; `None` for every address of this host, IPv6 included where there is any.
    pub host: Option<IpAddr>,
    /// The port; 0 for any free one.
    pub port: u16,
}

/// The files of a certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// All settings, checked.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub address: Address,
    /// Where packages are kept.
    pub storage_path: PathBuf,
    /// How many packages are kept; `None` for all.
    pub max_packages: Option<usize>,
    /// How many versions are kept whole; `None` for what `max_packages` keeps.
    pub max_releases: Option<usize>,
    /// What is never removed to make room.
    pub pinned: Vec<Pattern>,
    /// The largest package, in bytes; `None` for no limit.
    pub max_upload_bytes: Option<u64>,
    /// What writing needs.
    pub token: Token,
    /// The base of absolute URLs, without a slash at its end.
    pub public_url: Option<String>,
    /// Whether `X-Forwarded-*` is believed.
    pub trust_forwarded: bool,
    /// Threads of the pool.
    pub workers: usize,
    /// The most connections at a time.
    pub max_connections: usize,
    /// How long connections are still accepted after a signal.
    pub shutdown_delay: Duration,
    /// How long running requests may take after that.
    pub shutdown_grace: Duration,
    /// Which lines are logged, as `env_logger` reads it.
    pub log_filter: String,
    /// How lines are written.
    pub log_format: log::Format,
}

impl Config {
    /// Checks the gathered texts.
    pub fn check(raw: &Raw) -> Result<Self, ConfigError> {
        Ok(Self {
            address: address(raw)?,
            storage_path: storage_path(raw)?,
            max_packages: required(raw, &keys::MAX_PACKAGES, number)
                .map(|count: usize| (count > 0).then_some(count))?,
            max_releases: required(raw, &keys::MAX_RELEASES, number)
                .map(|count: usize| (count > 0).then_some(count))?,
            pinned: raw
                .read(&keys::PINNED, |text| Some(value::patterns(text)))?
                .unwrap_or_default(),
            max_upload_bytes: required(raw, &keys::MAX_UPLOAD_SIZE, value::size_bytes)
                .map(|bytes| (bytes > 0).then_some(bytes))?,
            token: token(raw)?,
            public_url: raw.read(&keys::PUBLIC_URL, value::base_url)?,
            trust_forwarded: required(raw, &keys::TRUST_FORWARDED, switch)?,
            workers: raw
                .read(&keys::WORKERS, |text| within(text, 1, 1024))?
                .unwrap_or_else(default_workers),
            max_connections: required(raw, &keys::MAX_CONNECTIONS, |text| {
                within(text, 1, 1_000_000)
            })?,
            shutdown_delay: required(raw, &keys::SHUTDOWN_DELAY, value::duration)?,
            shutdown_grace: required(raw, &keys::SHUTDOWN_GRACE, value::duration)?,
            log_filter: required(raw, &keys::LOG_LEVEL, |text| {
                value::is_log_filter(text).then(|| text.to_owned())
            })?,
            log_format: required(raw, &keys::LOG_FORMAT, |text| match text {
                "json" => Some(log::Format::Json),
                "text" => Some(log::Format::Text),
                _ => None,
            })?,
        })
    }
}

/// Where the server listens: all that a health check needs to know.
pub fn address(raw: &Raw) -> Result<Address, ConfigError> {
    let host = raw.read(&keys::HOST, value::address)?;
    let port = required(raw, &keys::PORT, number)?;
    Ok(Address { host, port })
}

/// Where packages are kept: all that a check of them needs to know.
pub fn storage_path(raw: &Raw) -> Result<PathBuf, ConfigError> {
    required(raw, &keys::STORAGE_PATH, |text| {
        (!text.is_empty()).then(|| PathBuf::from(text))
    })
}

/// A key that has a default.
fn required<T>(raw: &Raw, key: &Key, parse: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
    raw.read(key, parse)?
        .ok_or_else(|| refusal(key.name, Some(key.default), key))
}

fn within(text: &str, least: usize, most: usize) -> Option<usize> {
    number(text).filter(|number| (least..=most).contains(number))
}

fn token(raw: &Raw) -> Result<Token, ConfigError> {
    let fixed = raw.setting(&keys::AUTH_TOKEN);
    let file = raw.setting(&keys::AUTH_TOKEN_FILE);
    match (fixed, file) {
        (Some(fixed), Some(file)) => Err(ConfigError(format!(
            "{} and {} are both set; keep one of them",
            fixed.origin, file.origin
        ))),
        (Some(fixed), None) => Token::fixed(&fixed.text)
            .ok_or_else(|| refusal(&fixed.origin, None, &keys::AUTH_TOKEN)),
        (None, Some(file)) => Token::in_file(Path::new(&file.text))
            .map_err(|why| ConfigError(format!("{}: {why}", file.origin))),
        (None, None) => Err(ConfigError(
            "AUTH_TOKEN: a token is required; set AUTH_TOKEN, AUTH_TOKEN_FILE, or auth_token in the configuration file"
                .to_owned(),
        )),
    }
}

/// Workers wait for disks, never for clients: a few more than there are cores keep the cores busy.
fn default_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (2 * cores).max(4)
}
