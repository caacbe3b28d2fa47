//! The settings of a bucket, which belong together.
//!
//! Invariant: there is a bucket with all that depends on it, or none of it is set.

use super::aws::AwsEnvironment;
use super::error::ConfigError;
use super::keys::{self, Key};
use super::raw::{Raw, refusal};
use super::value;
use crate::limits::bucket::BUCKET_PREFIX_BYTES_MAX;
use crate::text::{number, switch};
use std::path::PathBuf;
use std::time::Duration;

/// The name of a bucket and what precedes the keys of packages in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub name: String,
    /// Empty, or with a slash at its end and none at its beginning.
    pub prefix: String,
}

/// How plain downloads are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downloads {
    /// From the cache, and from the store on their way into it.
    Serve,
    /// By a redirect to a presigned URL of the store.
    Redirect,
}

/// What keeps two publishers of one name apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateMode {
    /// The store: it must create a key only where it is new.
    Atomic,
    /// A look before, which is enough for one publishing server.
    Check,
}

/// The files that hold an access key, read again as they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFiles {
    pub access_key: PathBuf,
    pub secret_key: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSettings {
    pub location: Location,
    /// Scheme and authority; `None` for Amazon S3.
    pub endpoint: Option<String>,
    pub region: String,
    /// The bucket's name is part of the path, not of the host.
    pub path_style: bool,
    pub downloads: Downloads,
    /// Scheme and authority that clients reach; `None` for `endpoint`.
    pub public_endpoint: Option<String>,
    pub url_time: Duration,
    pub cache_bytes: u64,
    /// Threads that make requests to the store.
    pub transfers: usize,
    pub create: CreateMode,
    pub ca_file: Option<PathBuf>,
    pub key_files: Option<KeyFiles>,
    pub environment: AwsEnvironment,
}

/// `None` where packages live in the storage directory alone.
pub fn bucket(raw: &Raw) -> Result<Option<BucketSettings>, ConfigError> {
    let Some(location) = raw.read(&keys::BUCKET, location)? else {
        let dependent = keys::ALL
            .iter()
            .filter(|key| key.name.starts_with("bucket_"));
        // The chart writes every setting, with its default.
        let set = dependent.filter_map(|key| {
            let setting = raw.setting(key)?;
            (setting.text != key.default).then_some(setting)
        });
        return match set.into_iter().next() {
            None => Ok(None),
            Some(setting) => Err(ConfigError(format!(
                "{}: only for packages in a bucket; set bucket, or remove this",
                setting.origin
            ))),
        };
    };
    let endpoint = raw.read(&keys::BUCKET_ENDPOINT, origin)?;
    // A certificate for *.s3.REGION.amazonaws.com does not cover a name with dots.
    let path_style = raw
        .read(&keys::BUCKET_PATH_STYLE, switch)?
        .unwrap_or(endpoint.is_some() || location.name.contains('.'));
    Ok(Some(BucketSettings {
        location,
        region: region(raw, endpoint.is_some())?,
        path_style,
        endpoint,
        downloads: required(raw, &keys::BUCKET_DOWNLOADS, |text| match text {
            "serve" => Some(Downloads::Serve),
            "redirect" => Some(Downloads::Redirect),
            _ => None,
        })?,
        public_endpoint: raw.read(&keys::BUCKET_PUBLIC_ENDPOINT, origin)?,
        url_time: required(raw, &keys::BUCKET_URL_TIME, |text| {
            value::duration(text).filter(|time| *time >= Duration::from_secs(1))
        })?,
        cache_bytes: required(raw, &keys::BUCKET_CACHE_SIZE, value::size_bytes)?,
        transfers: required(raw, &keys::BUCKET_TRANSFERS, |text| {
            number(text).filter(|count| (1..=64).contains(count))
        })?,
        create: required(raw, &keys::BUCKET_CREATE, |text| match text {
            "atomic" => Some(CreateMode::Atomic),
            "check" => Some(CreateMode::Check),
            _ => None,
        })?,
        ca_file: raw.read(&keys::BUCKET_CA_FILE, |text| Some(PathBuf::from(text)))?,
        key_files: key_files(raw)?,
        environment: raw.aws.clone(),
    }))
}

/// Reads a key that has a default.
fn required<T>(raw: &Raw, key: &Key, parse: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
    raw.read(key, parse)?
        .ok_or_else(|| refusal(key.name, Some(key.default), key))
}

fn region(raw: &Raw, has_endpoint: bool) -> Result<String, ConfigError> {
    let of_setting = raw.read(&keys::BUCKET_REGION, |text| {
        is_region(text).then(|| text.to_owned())
    })?;
    if let Some(region) = of_setting {
        return Ok(region);
    }
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        match raw.aws.get(name) {
            Some(region) if is_region(region) => return Ok(region.to_owned()),
            Some(region) => return Err(refusal(name, Some(region), &keys::BUCKET_REGION)),
            None => {}
        }
    }
    if has_endpoint {
        return Ok("us-east-1".to_owned());
    }
    Err(ConfigError(
        "bucket_region: needed for a bucket in Amazon S3; set BUCKET_REGION, or BUCKET_ENDPOINT \
         for another store"
            .to_owned(),
    ))
}

fn key_files(raw: &Raw) -> Result<Option<KeyFiles>, ConfigError> {
    let access_key = raw.setting(&keys::BUCKET_ACCESS_KEY_FILE);
    let secret_key = raw.setting(&keys::BUCKET_SECRET_KEY_FILE);
    match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => Ok(Some(KeyFiles {
            access_key: PathBuf::from(&access_key.text),
            secret_key: PathBuf::from(&secret_key.text),
        })),
        (Some(alone), None) | (None, Some(alone)) => Err(ConfigError(format!(
            "{}: an access key needs both bucket_access_key_file and bucket_secret_key_file; set \
             the other one too",
            alone.origin
        ))),
        (None, None) => Ok(None),
    }
}

/// `s3://NAME/PREFIX`. The prefix has only characters that every store keeps as they are.
fn location(text: &str) -> Option<Location> {
    let rest = text.strip_prefix("s3://")?;
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let is_name_byte = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
    };
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"/!-_.*'()".contains(&byte);
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_valid = (3..=63).contains(&name.len())
        && name.bytes().all(is_name_byte)
        && !name.starts_with(['-', '.'])
        && !name.ends_with(['-', '.'])
        && prefix.len() <= BUCKET_PREFIX_BYTES_MAX
        && prefix.bytes().all(is_safe)
        && (prefix.is_empty() || prefix.split('/').all(is_part));
    is_valid.then(|| Location {
        name: name.to_owned(),
        prefix: match prefix {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        },
    })
}

/// A base URL without a path.
fn origin(text: &str) -> Option<String> {
    let url = value::base_url(text)?;
    let (_, rest) = url.split_once("://")?;
    (!rest.contains('/')).then_some(url)
}

fn is_region(text: &str) -> bool {
    let is_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(is_byte)
}
