//! Settings: gathered from a file, `.env` and the environment, then checked once.
//!
//! Data flows one way: [`keys`] names the settings, [`raw`] gathers their texts and remembers where each came from,
//! [`value`] reads one text, [`Config`] is the whole, checked. No other module reads the environment.
//!
//! Invariants: a setting that is not understood stops the start; an error names the file or variable, the key and what
//! it takes; the token is never part of a message.
//!
//! Source: the project's contract, section 5 (README.md, "Configuration").

pub mod keys;
pub mod raw;
mod settings;
pub mod token;
pub mod value;

pub use settings::{Address, Config, TlsFiles, address, storage_path};

/// Why the settings cannot be used: one line for a person.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
