//! Collects the texts of settings from three sources: file, `.env`, environment; later ones
//! override earlier ones.
//!
//! Invariants: this module interprets only the syntax of the sources, and keeps each text's origin.
//! An empty variable counts as not set, because compose files and charts omit a variable that way.
//!
//! Sources: YAML 1.2 as `serde_yaml` reads it; `.env` as `dotenvy` reads it.

use super::error::ConfigError;
use super::keys::{self, Key};
use serde_yaml::{Mapping, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Read where `CONFIG_PATH` is not set.
pub const DEFAULT_CONFIG_PATH: &str = "/etc/release-server/config.yaml";

/// A setting's text and origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Trimmed.
    pub text: String,
    /// The file and key, or the variable; the subject of error sentences.
    pub origin: String,
}

/// The texts of all keys that are set.
#[derive(Debug, Default)]
pub struct Raw(HashMap<&'static str, Setting>);

impl Raw {
    /// Collects from the files and the environment of this process.
    pub fn gather() -> Result<Self, ConfigError> {
        let environment = environment();
        let dotenv = read_dotenv(Path::new(".env"))?;
        let named = [&environment, &dotenv]
            .into_iter()
            .filter_map(|variables| variables.get("CONFIG_PATH"))
            .find(|path| !path.is_empty())
            .map(PathBuf::from);
        let yaml = read_file(named)?;
        let mut raw = Self::default();
        if let Some((path, text)) = yaml {
            raw.add_yaml(&path, &text)?;
        }
        raw.add_variables(&dotenv, " in .env");
        raw.add_variables(&environment, "");
        Ok(raw)
    }

    /// Adds the settings of a YAML document; `path` is for messages.
    pub fn add_yaml(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        // The parser's own message would quote the text, which may be the token.
        let document = serde_yaml::from_str(text).map_err(|error| {
            let line = error.location().map_or(1, |place| place.line());
            ConfigError(format!(
                "{path}: line {line} is not YAML, or sets a key twice"
            ))
        })?;
        let document = match document {
            Value::Mapping(document) => document,
            Value::Null => Mapping::new(),
            _ => {
                return Err(ConfigError(format!(
                    "{path}: not a YAML mapping of keys to values"
                )));
            }
        };
        for (name, value) in document {
            let name = name.as_str().unwrap_or_default();
            let Some(key) = keys::ALL.iter().find(|key| key.name == name) else {
                let known: Vec<&str> = keys::ALL.iter().map(|key| key.name).collect();
                return Err(ConfigError(format!(
                    "{path}: unknown key '{}'; known are {}",
                    name.escape_debug(),
                    known.join(", ")
                )));
            };
            let origin = format!("{path}: {name}");
            if let Some(text) = text_of(key, &value).map_err(|()| refusal(&origin, None, key))? {
                self.0.insert(key.name, Setting { text, origin });
            }
        }
        Ok(())
    }

    /// Adds the settings of a set of variables; `place` follows their names in messages.
    pub fn add_variables(&mut self, variables: &HashMap<String, String>, place: &str) {
        for key in keys::ALL {
            let set = |name: &&&str| variables.get(**name).is_some_and(|text| !text.is_empty());
            if let Some(name) = key.variables.iter().find(set) {
                let setting = Setting {
                    text: variables[*name].trim().to_owned(),
                    origin: format!("{name}{place}"),
                };
                self.0.insert(key.name, setting);
            }
        }
    }

    /// `None` where the key has its default.
    pub fn setting(&self, key: &Key) -> Option<&Setting> {
        self.0.get(key.name)
    }

    /// One line for each setting, with its value and origin. The value of a secret is not shown.
    pub fn describe(&self) -> String {
        let width = keys::ALL.iter().map(|key| key.name.len()).max();
        let width = width.unwrap_or_default();
        let line = |key: &&Key| {
            let (value, origin) = match self.setting(key) {
                Some(setting) if key.secret => ("(hidden)", setting.origin.as_str()),
                Some(setting) => (setting.text.as_str(), setting.origin.as_str()),
                None if key.default.is_empty() => (key.unset, "default"),
                None => (key.default, "default"),
            };
            format!(
                "{:<width$} {}  ({origin})\n",
                key.name,
                value.replace(char::is_control, " ")
            )
        };
        keys::ALL.iter().map(line).collect()
    }

    /// The value of a key, read by `parse`; the default where the key is not set; `None` where
    /// there is no default either.
    pub fn read<T>(
        &self,
        key: &Key,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match self.setting(key) {
            None if key.default.is_empty() => Ok(None),
            None => Ok(parse(key.default)),
            Some(setting) => match parse(&setting.text) {
                Some(value) => Ok(Some(value)),
                None => Err(refusal(&setting.origin, Some(&setting.text), key)),
            },
        }
    }
}

/// The sentence about a value that is not accepted.
pub fn refusal(origin: &str, text: Option<&str>, key: &Key) -> ConfigError {
    let takes = key.takes;
    ConfigError(match text {
        Some(text) if !key.secret => {
            let text = text.escape_debug();
            format!("{origin}: '{text}' is not accepted; it takes {takes}")
        }
        _ => format!("{origin}: the value is not accepted; it takes {takes}"),
    })
}

/// A YAML value as text; `None` where empty. Secrets must be strings, since YAML reads `0123` or
/// `1e5` as numbers.
fn text_of(key: &Key, value: &Value) -> Result<Option<String>, ()> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text.trim().to_owned())),
        Value::Number(number) if !key.secret => Ok(Some(number.to_string())),
        Value::Bool(switch) if !key.secret => Ok(Some(switch.to_string())),
        Value::Sequence(items) if *key == keys::PINNED => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Ok(Some(texts.ok_or(())?.join(",")))
        }
        _ => Err(()),
    }
}

/// Reads the configuration file. It may be missing at the default path only.
fn read_file(named: Option<PathBuf>) -> Result<Option<(String, String)>, ConfigError> {
    let must_exist = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_CONFIG_PATH));
    let shown = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((shown, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(None),
        Err(error) => Err(ConfigError(format!(
            "CONFIG_PATH: {shown} cannot be read: {error}"
        ))),
    }
}

fn read_dotenv(path: &Path) -> Result<HashMap<String, String>, ConfigError> {
    let unreadable = |error| {
        ConfigError(match error {
            // The parser's own message would quote the line, which may hold the token.
            dotenvy::Error::LineParse(..) => {
                ".env: a line is not NAME=value; quote values that hold spaces or quotes".to_owned()
            }
            error => format!(".env: cannot be read: {error}"),
        })
    };
    match dotenvy::from_path_iter(path) {
        Ok(pairs) => pairs.collect::<Result<_, _>>().map_err(unreadable),
        Err(error) if error.not_found() => Ok(HashMap::new()),
        Err(error) => Err(unreadable(error)),
    }
}

/// The variables that are valid text; no setting accepts any other.
fn environment() -> HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
