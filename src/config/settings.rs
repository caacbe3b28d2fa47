//! All settings, checked.
//!
//! Invariant: a [`Config`] needs no further checks.

use super::bucket::{BucketSettings, bucket};
use super::error::ConfigError;
use super::keys::{self, Key};
use super::raw::{Raw, refusal};
use super::tls::{TlsSettings, tls};
use super::token::{TokenSettings, tokens};
use super::value;
use crate::log;
use crate::pattern::Pattern;
use crate::text::{number, switch};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// `None` for every address of this host, IPv6 included where the host has it.
    pub host: Option<IpAddr>,
    /// 0 for any free port.
    pub port: u16,
}

#[derive(Debug)]
pub struct Config {
    pub address: Address,
    pub storage_path: PathBuf,
    /// `None` keeps all packages.
    pub max_packages: Option<usize>,
    /// `None` keeps as many versions as `max_packages` allows.
    pub max_releases: Option<usize>,
    /// Packages that match are never removed by retention.
    pub pinned: Vec<Pattern>,
    /// The largest package; `None` for no limit.
    pub max_upload_bytes: Option<u64>,
    pub tokens: TokenSettings,
    /// Without a slash at its end.
    pub public_url: Option<String>,
    pub trust_forwarded: bool,
    /// `None` where packages live in the storage directory alone.
    pub bucket: Option<BucketSettings>,
    /// `None` where the server speaks HTTP in clear.
    pub tls: Option<TlsSettings>,
    pub workers: usize,
    pub max_connections: usize,
    /// A connection is kept for so long between requests.
    pub idle_timeout: Duration,
    /// Connections are accepted for so long after SIGTERM.
    pub shutdown_delay: Duration,
    /// Running requests may take so long after that.
    pub shutdown_grace: Duration,
    /// In the syntax of `env_logger`.
    pub log_filter: String,
    pub log_format: log::Format,
    pub latest_by: LatestBy,
}

/// The order of packages in `/latest`, its pattern links and the list of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatestBy {
    /// The newest modification time first.
    Time,
    /// Final versions first, from the highest; then pre-releases; then names without a version.
    Version,
}

impl Config {
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
            tokens: tokens(raw)?,
            public_url: raw.read(&keys::PUBLIC_URL, value::base_url)?,
            trust_forwarded: required(raw, &keys::TRUST_FORWARDED, switch)?,
            bucket: bucket(raw)?,
            tls: tls(raw)?,
            workers: raw
                .read(&keys::WORKERS, |text| within(text, 1, 1024))?
                .unwrap_or_else(default_workers),
            max_connections: required(raw, &keys::MAX_CONNECTIONS, |text| {
                within(text, 1, 1_000_000)
            })?,
            idle_timeout: required(raw, &keys::IDLE_TIMEOUT, |text| {
                value::duration(text).filter(|time| *time >= Duration::from_secs(1))
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
            latest_by: required(raw, &keys::LATEST_BY, |text| match text {
                "time" => Some(LatestBy::Time),
                "version" => Some(LatestBy::Version),
                _ => None,
            })?,
        })
    }
}

/// The address to listen on, without checking the other settings.
pub fn address(raw: &Raw) -> Result<Address, ConfigError> {
    let host = raw.read(&keys::HOST, value::address)?;
    let port = required(raw, &keys::PORT, number)?;
    Ok(Address { host, port })
}

/// The storage directory, without checking the other settings.
pub fn storage_path(raw: &Raw) -> Result<PathBuf, ConfigError> {
    required(raw, &keys::STORAGE_PATH, |text| {
        (!text.is_empty()).then(|| PathBuf::from(text))
    })
}

/// Reads a key that has a default.
fn required<T>(raw: &Raw, key: &Key, parse: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
    raw.read(key, parse)?
        .ok_or_else(|| refusal(key.name, Some(key.default), key))
}

fn within(text: &str, least: usize, most: usize) -> Option<usize> {
    number(text).filter(|number| (least..=most).contains(number))
}

/// Workers wait for disks, never for clients: twice as many as cores keep the cores busy.
fn default_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (2 * cores).max(4)
}
