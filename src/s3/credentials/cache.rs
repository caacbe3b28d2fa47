//! Credentials in force, fetched again shortly before they expire.
//!
//! Invariants: while fetching fails, credentials that have not expired stay in force; a source that
//! failed is asked again after a pause at the earliest; files and the environment cost no request,
//! so files are read for each use, as the token's file is.

use super::fetch::fetch;
use super::{Credentials, Source};
use crate::client::{Client, Options};
use crate::clock::{self, Clock};
use crate::limits::bucket::{
    CREDENTIALS_MARGIN, CREDENTIALS_PAUSE, CREDENTIALS_TIME_MAX, CREDENTIALS_UNDATED_TIME,
};
use crate::metrics::{Operation, Outcome, StoreMetrics};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

#[derive(Debug)]
pub struct CredentialCache {
    source: Source,
    client: Client,
    clock: Clock,
    metrics: Arc<StoreMetrics>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    credentials: Option<Arc<Credentials>>,
    /// When they are fetched again; `None` for those that stay.
    renew_at: Option<SystemTime>,
    /// The last failure, and when the source is asked again.
    failed: Option<(String, Instant)>,
}

impl CredentialCache {
    /// The error is a sentence about a setting.
    pub fn new(
        source: Source,
        ca_file: Option<&Path>,
        metrics: Arc<StoreMetrics>,
    ) -> Result<Self, String> {
        let client = Client::new(&Options {
            ca_file,
            total_time_max: Some(CREDENTIALS_TIME_MAX),
        })?;
        Ok(Self {
            source,
            client,
            clock: Clock::system(),
            metrics,
            held: Mutex::default(),
        })
    }

    /// The credentials in force; fetches them where needed. The error is a sentence without
    /// secrets.
    pub fn current(&self) -> Result<Arc<Credentials>, String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::wall_now();
        let is_due = held.renew_at.is_none_or(|renew_at| renew_at <= now);
        if let Some(credentials) = &held.credentials
            && !is_due
        {
            return Ok(Arc::clone(credentials));
        }
        if let Some((why, retry_at)) = &held.failed
            && self.clock.now() < *retry_at
        {
            return in_force(&held, now).ok_or_else(|| why.clone());
        }
        match self.fetch() {
            Ok(credentials) => {
                held.renew_at = Some(renewal(&self.source, &credentials, now));
                held.failed = None;
                let credentials = Arc::new(credentials);
                held.credentials = Some(Arc::clone(&credentials));
                Ok(credentials)
            }
            Err(why) => {
                let why = format!("no credentials from {}: {why}", self.source.name());
                log::warn!("the bucket's credentials: {why}");
                held.failed = Some((why.clone(), self.clock.now() + CREDENTIALS_PAUSE));
                in_force(&held, now).ok_or(why)
            }
        }
    }

    /// The credentials in force, without waiting for a server: files may be read.
    pub fn at_hand(&self) -> Option<Arc<Credentials>> {
        if matches!(self.source, Source::Files(_) | Source::Environment(_)) {
            return self.current().ok();
        }
        let held = self.held.try_lock().ok()?;
        in_force(&held, clock::wall_now())
    }

    /// The store refused `used`. Whether other credentials are in force now, so that another try
    /// makes sense.
    pub fn refused(&self, used: &Credentials) -> bool {
        {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if held.credentials.as_deref() == Some(used) {
                held.renew_at = None;
            }
        }
        self.current().is_ok_and(|current| *current != *used)
    }

    fn fetch(&self) -> Result<Credentials, String> {
        if matches!(self.source, Source::Files(_) | Source::Environment(_)) {
            return fetch(&self.source, &self.client);
        }
        let begin = self.clock.now();
        let fetched = fetch(&self.source, &self.client);
        let outcome = match fetched {
            Ok(_) => Outcome::Answered,
            Err(_) => Outcome::Failed,
        };
        let duration = self.clock.now().saturating_duration_since(begin);
        self.metrics
            .finished(Operation::Credentials, outcome, duration);
        fetched
    }
}

fn in_force(held: &Held, now: SystemTime) -> Option<Arc<Credentials>> {
    let credentials = held.credentials.as_ref()?;
    let is_valid = credentials.expires.is_none_or(|expires| now < expires);
    is_valid.then(|| Arc::clone(credentials))
}

/// When credentials are fetched again.
fn renewal(source: &Source, credentials: &Credentials, now: SystemTime) -> SystemTime {
    if matches!(source, Source::Files(_) | Source::Environment(_)) {
        return now;
    }
    match credentials.expires {
        None => now + CREDENTIALS_UNDATED_TIME,
        // Of credentials that are short-lived altogether, half of their life is used.
        Some(expires) => {
            let left = expires.duration_since(now).unwrap_or_default();
            now + left.saturating_sub(CREDENTIALS_MARGIN).max(left / 2)
        }
    }
}
