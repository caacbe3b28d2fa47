//! Settings: collected from a file, `.env` and the environment, then checked once.
//!
//! Data flows one way: [`keys`] lists the settings, [`raw`] collects their texts and their origins,
//! [`value`] reads one text, [`Config`] has all settings, checked. No other module reads the
//! environment.
//!
//! Invariants: a setting that is not understood stops the start. An error names the file or
//! variable, the key and the accepted values. The token is never part of a message.
//!
//! Source: docs/contract.md, section 5.

mod aws;
mod bucket;
mod error;
pub mod files;
mod hints;
pub mod keys;
pub mod raw;
mod settings;
mod tls;
pub mod token;
pub mod value;

pub use aws::AwsEnvironment;
pub use bucket::{BucketSettings, CreateMode, Downloads, KeyFiles, Location, bucket};
pub use error::ConfigError;
pub use settings::{Address, Config, LatestBy, address, storage_path};
pub use tls::{TlsFiles, TlsSettings, tls};
pub use token::{TokenSettings, tokens};
