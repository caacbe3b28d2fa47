//! Collects the texts of settings from three sources: file, `.env`, environment; later ones
//! override earlier ones.
//!
//! Invariants: this module interprets only the syntax of the sources, and keeps each text's origin.
//! An empty variable counts as not set, because compose files and charts omit a variable that way.
//!
//! Sources: YAML 1.2 as `serde_yaml` reads it; `.env` as `dotenvy` reads it.

use super::aws::AwsEnvironment;
use super::error::ConfigError;
use super::files::read_text;
use super::hints::{self, CONFIG_PATH};
use super::keys::{self, Key};
use crate::limits::CONFIG_FILE_BYTES_MAX;
use serde_yaml::{Mapping, Value};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::ErrorKind;
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
#[derive(Clone, Debug, Default)]
pub struct Raw {
    settings: HashMap<&'static str, Setting>,
    /// Sentences about variables that are probably misspelt.
    pub warnings: Vec<String>,
    /// Variables of other programs, by which a bucket's credentials are found.
    pub aws: AwsEnvironment,
}

impl Raw {
    /// Collects from the files and the environment of this process.
    pub fn gather() -> Result<Self, ConfigError> {
        let environment = environment(std::env::vars_os())?;
        let dotenv = read_dotenv(Path::new(".env"))?;
        let named = [&environment, &dotenv]
            .into_iter()
            .filter_map(|variables| variables.get(CONFIG_PATH))
            .find(|path| !path.is_empty())
            .map(PathBuf::from);
        let yaml = read_file(named)?;
        let mut raw = Self::default();
        if let Some((path, text)) = yaml {
            raw.add_yaml(&path, &text)?;
        }
        raw.add_variables(&dotenv, " in .env");
        raw.add_variables(&environment, "");
        raw.warn_of_misspelt(&environment);
        Ok(raw)
    }

    /// Adds the settings of a YAML document; `path` is for messages.
    pub fn add_yaml(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        // The parser's own message would quote the text, which may be the token.
        let document = serde_yaml::from_str(text).map_err(|error| {
            if let Some((line, key)) = repeated_key(text) {
                return ConfigError(format!("{path}: line {line} sets {key} again"));
            }
            let line = error.location().map_or(1, |place| place.line());
            let why = "is not YAML, or sets a key twice";
            ConfigError(format!("{path}: line {line} {why}"))
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
                let known = || {
                    keys::ALL
                        .iter()
                        .map(|key| key.name)
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                let hint = hints::key_near(name).map_or_else(
                    || format!("known are {}", known()),
                    |near| format!("did you mean {near}?"),
                );
                let name = name.escape_debug();
                return Err(ConfigError(format!("{path}: unknown key '{name}'; {hint}")));
            };
            let origin = format!("{path}: {name}");
            if let Some(text) = text_of(key, &value).map_err(|()| refusal(&origin, None, key))? {
                self.settings.insert(key.name, Setting { text, origin });
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
                self.settings.insert(key.name, setting);
            }
        }
        self.aws.add(variables);
    }

    /// Notes the variables that nearly have the name of a setting. The environment belongs to other
    /// programs too, so they do not stop the start.
    fn warn_of_misspelt(&mut self, environment: &HashMap<String, String>) {
        let warning = |name: &String| {
            let near = hints::variable_near(name)?;
            let name = name.escape_debug();
            Some(format!("{name} is not a setting; did you mean {near}?"))
        };
        self.warnings = environment.keys().filter_map(warning).collect();
        self.warnings.sort();
    }

    /// `None` where the key has its default.
    pub fn setting(&self, key: &Key) -> Option<&Setting> {
        self.settings.get(key.name)
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
        Value::Sequence(items) if [keys::PINNED, keys::TOKENS_FILE].contains(key) => {
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
    match read_text(&path, CONFIG_FILE_BYTES_MAX) {
        Ok(text) => Ok(Some((shown, text))),
        Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => Ok(None),
        Err(error) => Err(ConfigError(format!(
            "{CONFIG_PATH}: {shown} cannot be read: {error}"
        ))),
    }
}

/// The line of a YAML text, from 1, that sets a known key for the second time, and the key. Only
/// known keys, so that no text that may be the token gets into a message.
fn repeated_key(text: &str) -> Option<(usize, &'static str)> {
    let mut seen: Vec<&str> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let name = line.split(':').next().unwrap_or_default();
        let name = name.trim_end().trim_matches(['\'', '"']);
        if let Some(key) = keys::ALL.iter().find(|key| key.name == name) {
            if seen.contains(&key.name) {
                return Some((number, key.name));
            }
            seen.push(key.name);
        }
    }
    None
}

fn read_dotenv(path: &Path) -> Result<HashMap<String, String>, ConfigError> {
    let unreadable = |error| ConfigError(format!(".env: cannot be read: {error}"));
    let text = match read_text(path, CONFIG_FILE_BYTES_MAX) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut variables = HashMap::new();
    for pair in dotenvy::from_read_iter(text.as_bytes()) {
        let (name, value) = pair.map_err(|error| match error {
            // The parser's own message would quote the line, which may hold the token.
            dotenvy::Error::LineParse(wrong, _) => {
                // The whole line, or its value.
                let wrong = wrong.lines().next().unwrap_or_default();
                let line = line_of(&text, |line| line.ends_with(wrong));
                ConfigError(format!(
                    ".env: line {line} is not NAME=value; quote values that hold spaces or quotes"
                ))
            }
            dotenvy::Error::Io(error) => unreadable(error),
            error => ConfigError(format!(".env: cannot be read: {error}")),
        })?;
        if let Some(near) = hints::variable_near(&name) {
            let line = line_of(&text, |line| {
                let line = line.trim_start();
                let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
                line.strip_prefix(&name)
                    .is_some_and(|rest| rest.trim_start().starts_with('='))
            });
            return Err(ConfigError(format!(
                ".env: line {line}: {name} is not a setting; did you mean {near}?"
            )));
        }
        variables.insert(name, value);
    }
    Ok(variables)
}

/// The number of the first such line, from 1.
fn line_of(text: &str, is_wanted: impl Fn(&str) -> bool) -> usize {
    text.lines().position(is_wanted).map_or(1, |at| at + 1)
}

/// The variables of the process. Those of other programs need not be UTF-8.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<HashMap<String, String>, ConfigError> {
    let mut texts = HashMap::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => {
                texts.insert(name, value);
            }
            Err(_) if hints::is_variable(&name) => {
                return Err(ConfigError(format!("{name}: the value is not UTF-8")));
            }
            Err(_) => {}
        }
    }
    Ok(texts)
}
