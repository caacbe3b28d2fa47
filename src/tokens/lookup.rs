//! The tokens in force, and looking up the one that a client sends.
//!
//! Invariants: the hash of a token is compared with those of all entries, without an early end, so
//! the time depends on the number of entries alone; a token counts for as long as its entry is in
//! the files, and a removed one is refused within [`FILES_REREAD_INTERVAL`].

use super::entry::{Entry, Recognition};
use super::file::TokensFiles;
use super::grant::Grant;
use super::refusal::{AwaitedKeys, IdentityRefusal, Judgement};
use super::{Identities, secret};
use crate::clock::{Clock, wall_now};
use crate::config::token::{self, Token, TokenHash};
use crate::config::{TokenSettings, keys};
use crate::limits::FILES_REREAD_INTERVAL;
use crate::metrics::Metrics;
use crate::watch::{self, Report, Reread, Watched};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

pub struct Tokens {
    /// The token that may everything.
    shared: Option<(Token, Arc<Grant>)>,
    named: Option<Watched<TokensFiles>>,
    identities: Identities,
    metrics: Arc<Metrics>,
}

/// Why a token is not accepted, or not yet.
#[derive(Debug)]
pub enum Denied {
    Unknown,
    /// It has the form of a token, and another checksum.
    Mistyped,
    Expired {
        name: String,
        at: SystemTime,
    },
    /// It is an identity token, which no entry accepts.
    Identity(IdentityRefusal),
    /// The keys of this issuer cannot be fetched.
    Unavailable(String),
    /// It is an identity token, to be looked up again when its issuer's keys have been fetched.
    Unfetched(AwaitedKeys),
}

impl Tokens {
    /// Reads the files of named tokens; the sentence says why they cannot be used.
    pub fn open(
        settings: TokenSettings,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        let files = settings.files;
        let named = (!files.is_empty()).then(|| Watched::open(TokensFiles(files), wall_now()));
        let named = named.transpose().map_err(about(&keys::TOKENS_FILE))?;
        if named.is_some() {
            metrics.tokens.loaded();
        }
        let identities = Identities::new(settings.issuers_ca_file, clock);
        Ok(Self {
            shared: settings
                .shared
                .map(|token| (token, Arc::new(Grant::shared()))),
            named,
            identities: identities.map_err(about(&keys::ISSUERS_CA_FILE))?,
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
        let reread = move || tokens.reread(Report::WhenReadTwice);
        watch::start("tokens", FILES_REREAD_INTERVAL, reread)
    }

    fn shared_file(&self) -> Option<&Path> {
        self.shared.as_ref().and_then(|(token, _)| token.file())
    }

    /// Finds what a token may.
    pub fn find(&self, given: &[u8], now: SystemTime) -> Result<Arc<Grant>, Denied> {
        let hash = token::hash(given);
        let named = self.named.as_ref().map(Watched::value).unwrap_or_default();
        let (mut found, mut accepting) = (None, Vec::new());
        for entry in &*named {
            match &entry.recognition {
                Recognition::Hash(known) if is_equal(known, &hash) => found = Some(entry),
                Recognition::Hash(_) => {}
                Recognition::Identity(publisher) => accepting.push((entry, publisher)),
            }
        }
        let shared = self.shared.as_ref();
        if let Some((_, grant)) = shared.filter(|(token, _)| is_equal(&token.hash(), &hash)) {
            return Ok(Arc::clone(grant));
        }
        match found {
            Some(entry) => entry.check_expiry(now).map(|()| Arc::clone(&entry.grant)),
            None if secret::is_mistyped(given) => Err(Denied::Mistyped),
            None if accepting.is_empty() || !is_identity(given) => Err(Denied::Unknown),
            None => {
                let publishers: Vec<_> = accepting
                    .iter()
                    .map(|(entry, publisher)| (*publisher, &entry.grant))
                    .collect();
                let grant = match self.identities.judge(given, &publishers, now) {
                    Judgement::Accepted(grant) => grant,
                    Judgement::Refused(refusal) => return Err(Denied::Identity(refusal)),
                    Judgement::Unfetched(fetch) => return Err(Denied::Unfetched(fetch)),
                    Judgement::Unavailable(issuer) => return Err(Denied::Unavailable(issuer)),
                };
                let entry = accepting
                    .iter()
                    .find(|(entry, _)| entry.grant.name == grant.name);
                entry.map_or(Ok(()), |(entry, _)| entry.check_expiry(now))?;
                Ok(grant)
            }
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
            log_reread(setting, &[path], &token.reread(report), report);
        }
        if let Some(named) = &self.named {
            let reread = named.reread(wall_now(), report);
            match &reread {
                Reread::Unchanged => {}
                Reread::Renewed(_) => self.metrics.tokens.loaded(),
                Reread::Refused(_) => self.metrics.tokens.reload_failed(),
            }
            let paths: Vec<&Path> = named.source().0.iter().map(PathBuf::as_path).collect();
            log_reread(keys::TOKENS_FILE.name, &paths, &reread, report);
        }
    }

    /// Whether the files of named tokens cannot be used, so that an earlier content is in force.
    pub fn is_outdated(&self) -> bool {
        !self.metrics.tokens.is_last_reload_successful()
    }
}

fn about(key: &keys::Key) -> impl Fn(String) -> String {
    move |why| format!("{}: {why}", key.name)
}

/// One line for all the files of a setting, which count together; an error names its file.
fn log_reread<V>(setting: &str, paths: &[&Path], reread: &Reread<V>, report: Report) {
    let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    let path = paths.join(",");
    let path = path.as_str();
    match (reread, report) {
        (Reread::Refused(error), Report::AtOnce) => {
            log::warn!(setting, error; "SIGHUP: the file cannot be used; its last content counts");
        }
        (Reread::Refused(error), Report::WhenReadTwice) => {
            log::error!(setting, error; "the file cannot be used; its last content counts");
        }
        (_, Report::AtOnce) => {
            log::info!(setting, path; "SIGHUP: the file was read again");
        }
        (Reread::Renewed(_), Report::WhenReadTwice) => {
            log::info!(setting, path; "the file has changed and counts");
        }
        (Reread::Unchanged, Report::WhenReadTwice) => {}
    }
}

impl Entry {
    fn check_expiry(&self, now: SystemTime) -> Result<(), Denied> {
        match self.expires {
            Some(at) if at <= now => Err(Denied::Expired {
                name: self.grant.name.clone(),
                at,
            }),
            _ => Ok(()),
        }
    }
}

/// Whether a text has the form of an identity token: a JSON object, in Base64, and two dots.
fn is_identity(given: &[u8]) -> bool {
    given.starts_with(b"eyJ") && given.split(|byte| *byte == b'.').count() == 3
}

/// Compares two hashes in a time that does not depend on them.
fn is_equal(left: &TokenHash, right: &TokenHash) -> bool {
    let difference = left
        .iter()
        .zip(right)
        .fold(0, |all, (left, right)| all | (left ^ right));
    std::hint::black_box(difference) == 0
}
