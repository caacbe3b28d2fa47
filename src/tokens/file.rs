//! Tokens files: YAML with a list `tokens`, whose items are entries.
//!
//! Several files count as one list: on Kubernetes a Secret has some entries and the chart's values
//! others.
//!
//! Invariants: no two entries have the same name or the same token; a fault anywhere refuses all
//! files, with one sentence that never shows a value.

use super::entry::Entry;
use crate::config::files::read_regular_text;
use crate::limits::TOKENS_FILE_BYTES_MAX;
use crate::watch::Source;
use serde_yaml::Value;
use std::path::PathBuf;
use std::time::SystemTime;

pub struct TokensFiles(pub Vec<PathBuf>);

impl Source for TokensFiles {
    type Contents = Vec<String>;
    type Value = Vec<Entry>;

    fn read(&self) -> Result<Vec<String>, String> {
        let text = |path: &PathBuf| {
            read_regular_text(path, TOKENS_FILE_BYTES_MAX)
                .map_err(|error| format!("{}: cannot be read: {error}", path.display()))
        };
        self.0.iter().map(text).collect()
    }

    fn check(&self, texts: &Vec<String>, _now: SystemTime) -> Result<Vec<Entry>, String> {
        let mut entries: Vec<Entry> = Vec::new();
        for (path, text) in self.0.iter().zip(texts) {
            add(&mut entries, text).map_err(|why| format!("{}: {why}", path.display()))?;
        }
        Ok(entries)
    }
}

/// Adds the entries of a text.
fn add(entries: &mut Vec<Entry>, text: &str) -> Result<(), String> {
    // The parser's own message would quote the text, which may be a token.
    let document: Value = serde_yaml::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |place| place.line());
        format!("line {line} is not YAML, or sets a key twice")
    })?;
    let items = document
        .as_mapping()
        .filter(|mapping| mapping.len() == 1)
        .and_then(|mapping| mapping.get("tokens")?.as_sequence())
        .ok_or("does not hold one key 'tokens' with a list of entries")?;
    for (number, item) in (1..).zip(items) {
        let entry = Entry::read(item).map_err(|why| format!("entry {number}: {why}"))?;
        let name = &entry.grant.name;
        if entries.iter().any(|known| known.grant.name == *name) {
            return Err(format!("entry {number}: there is another entry '{name}'"));
        }
        let is_same = |known: &&Entry| known.recognition.is_same_token(&entry.recognition);
        if let Some(known) = entries.iter().find(is_same) {
            let other = &known.grant.name;
            return Err(format!("entry {number}: '{other}' has the same token"));
        }
        entries.push(entry);
    }
    Ok(())
}
