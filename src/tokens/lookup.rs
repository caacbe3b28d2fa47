//! The tokens in force, and looking up the one that a client sends.
//!
//! Invariants: the hash of a token is compared with those of all entries, without an early end, so
//! the time depends on the number of entries alone; a token counts for as long as its entry is in
//! the files, and a removed one is refused within [`FILES_REREAD_INTERVAL`].
//!
//! [`FILES_REREAD_INTERVAL`]: crate::limits::FILES_REREAD_INTERVAL

use super::entry::Entry;
use super::file::TokensFiles;
use super::grant::Grant;
use super::secret;
use crate::config::keys;
use crate::config::token::{self, Token, TokenHash};
use crate::metrics::Metrics;
use crate::watch::{self, Report, Reread, Watched};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

pub struct Tokens {
    /// The token that may everything.
    shared: Option<(Token, Arc<Grant>)>,
    named: Option<Watched<TokensFiles>>,
    metrics: Arc<Metrics>,
}

/// Why a token is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub enum Denied {
    Unknown,
    /// It has the form of a token, and another checksum.
    Mistyped,
    Expired {
        name: String,
        at: SystemTime,
    },
}

impl Tokens {
    /// Reads the files of named tokens; the sentence says why they cannot be used.
    pub fn open(
        shared: Option<Token>,
        files: Vec<PathBuf>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        let named = (!files.is_empty()).then(|| Watched::open(TokensFiles(files)));
        let named = named.transpose();
        let named = named.map_err(|why| format!("{}: {why}", keys::TOKENS_FILE.name))?;
        if named.is_some() {
            metrics.tokens.loaded();
        }
        Ok(Self {
            shared: shared.map(|token| (token, Arc::new(Grant::shared()))),
            named,
            metrics,
        })
    }

    /// Starts the thread that reads the files again as they change.
    pub fn watch(self: &Arc<Self>) -> std::io::Result<()> {
        let in_files = self.shared_file().is_some() || self.named.is_some();
        if !in_files {
            return Ok(());
        }
        let tokens = Arc::clone(self);
        watch::start("tokens", move || tokens.reread(Report::WhenReadTwice))
    }

    fn shared_file(&self) -> Option<&Path> {
        self.shared.as_ref().and_then(|(token, _)| token.file())
    }

    /// Finds what a token may.
    pub fn find(&self, given: &[u8], now: SystemTime) -> Result<Arc<Grant>, Denied> {
        let hash = token::hash(given);
        let named = self.named.as_ref().map(Watched::value).unwrap_or_default();
        let mut found: Option<&Entry> = None;
        for entry in &*named {
            if is_equal(&entry.hash, &hash) {
                found = Some(entry);
            }
        }
        let shared = self.shared.as_ref();
        if let Some((_, grant)) = shared.filter(|(token, _)| is_equal(&token.hash(), &hash)) {
            return Ok(Arc::clone(grant));
        }
        match found {
            Some(entry) => match entry.expires {
                Some(at) if at <= now => Err(Denied::Expired {
                    name: entry.grant.name.clone(),
                    at,
                }),
                _ => Ok(Arc::clone(&entry.grant)),
            },
            None if secret::is_mistyped(given) => Err(Denied::Mistyped),
            None => Err(Denied::Unknown),
        }
    }

    /// Reads the files at once, for a person who asked for it.
    pub fn reread_now(&self) {
        if self.shared_file().is_none() && self.named.is_none() {
            log::info!("SIGHUP: no file holds tokens, so there is none to read again");
        }
        self.reread(Report::AtOnce);
    }

    fn reread(&self, report: Report) {
        if let Some((token, _)) = &self.shared
            && let Some(path) = token.file()
        {
            let setting = keys::AUTH_TOKEN_FILE.name;
            log_reread(setting, path, &token.reread(report), report);
        }
        if let Some(named) = &self.named {
            let reread = named.reread(report);
            match &reread {
                Reread::Unchanged => {}
                Reread::Renewed(_) => self.metrics.tokens.loaded(),
                Reread::Refused(_) => self.metrics.tokens.reload_failed(),
            }
            for path in &named.source().0 {
                log_reread(keys::TOKENS_FILE.name, path, &reread, report);
            }
        }
    }

    /// Whether the files of named tokens cannot be used, so that an earlier content is in force.
    pub fn is_outdated(&self) -> bool {
        !self.metrics.tokens.is_last_reload_successful()
    }
}

fn log_reread<V>(setting: &str, path: &Path, reread: &Reread<V>, report: Report) {
    match (reread, report) {
        (Reread::Refused(error), Report::AtOnce) => {
            log::warn!(setting, error; "SIGHUP: the file cannot be used; its last content counts");
        }
        (Reread::Refused(error), Report::WhenReadTwice) => {
            log::error!(setting, error; "the file cannot be used; its last content counts");
        }
        (_, Report::AtOnce) => {
            log::info!(setting, path:% = path.display(); "SIGHUP: the file was read again");
        }
        (Reread::Renewed(_), Report::WhenReadTwice) => {
            log::info!(setting, path:% = path.display(); "the file has changed and counts");
        }
        (Reread::Unchanged, Report::WhenReadTwice) => {}
    }
}

/// Compares two hashes in a time that does not depend on them.
fn is_equal(left: &TokenHash, right: &TokenHash) -> bool {
    let difference = left
        .iter()
        .zip(right)
        .fold(0, |all, (left, right)| all | (left ^ right));
    std::hint::black_box(difference) == 0
}
