//! An issuer of identity tokens: its keys, and when they are fetched.
//!
//! Invariants: keys are fetched on a thread of their own, one at a time for each issuer, within
//! [`ISSUER_TIME_MAX`] for each of two requests, whatever the issuer answers; a worker never waits
//! for it. A key that the issuer does not publish makes a new fetch at most once in
//! [`ISSUER_REFRESH_INTERVAL`], however many tokens name one. The last keys stay while the issuer
//! cannot be reached. A redirect is refused.
//!
//! Sources: OpenID Connect Discovery 1.0, sections 4 and 4.3; RFC 8414, section 3.3 (the document's
//! issuer is compared exactly).

use super::keys::{Algorithm, KeySet};
use crate::awaited::Awaited;
use crate::client::{Body, Client, Method, Request};
use crate::clock::Clock;
use crate::limits::{
    ISSUER_ANSWER_BYTES_MAX, ISSUER_KEYS_AGE_MAX, ISSUER_REFRESH_INTERVAL, RETRY_AFTER_SECONDS,
};
use serde::Deserialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

pub struct Issuer {
    /// As tokens name it.
    url: String,
    client: Client,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When the last fetch that succeeded ended.
    fetched: Option<Instant>,
    /// When the last fetch began, or ended.
    attempted: Option<Instant>,
    is_fetching: bool,
    /// The last fetch failed, so a key that is not known may be a new one.
    has_failed: bool,
    waiting: Vec<Waker>,
}

/// What is known of the key that a token names.
pub enum Lookup {
    /// The keys hold it, as [`KeySet::find`] confirms.
    Known(Arc<KeySet>),
    /// The issuer does not publish it.
    Unknown,
    /// The keys are being fetched.
    Unfetched,
    /// The keys could not be fetched a moment ago.
    Unavailable,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Whether the server may ask for this URL: `https`, or this host itself.
pub fn is_fetchable(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let is_text = rest.bytes().all(|byte| byte.is_ascii_graphic());
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let is_allowed = scheme == "https" || (scheme == "http" && is_loopback);
    is_text && is_allowed && !host.is_empty() && !authority.contains('@')
}

impl Issuer {
    pub fn new(url: &str, client: Client, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            url: url.to_owned(),
            client,
            clock,
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up the key that a token names, and begins to fetch keys where that may find it. Keys
    /// that are old are fetched again first, and used where that fails.
    pub fn look_up(self: &Arc<Self>, id: Option<&str>, algorithm: Algorithm) -> Lookup {
        let now = self.clock.now();
        let mut state = self.state();
        let is_known = |keys: &Arc<KeySet>| keys.find(id, algorithm).is_some();
        if let Some(keys) = state.keys.clone().filter(is_known) {
            let is_old = |at: Instant| now.duration_since(at) >= ISSUER_KEYS_AGE_MAX;
            if state.fetched.is_some_and(is_old) {
                if state.may_fetch(now) {
                    self.begin_fetch(&mut state, now);
                }
                // The key may have been withdrawn long ago.
                if state.is_fetching {
                    return Lookup::Unfetched;
                }
            }
            return Lookup::Known(keys);
        }
        if state.may_fetch(now) {
            self.begin_fetch(&mut state, now);
        }
        if state.is_fetching {
            Lookup::Unfetched
        } else if state.keys.is_some() && !state.has_failed {
            Lookup::Unknown
        } else {
            Lookup::Unavailable
        }
    }

    fn begin_fetch(self: &Arc<Self>, state: &mut State, now: Instant) {
        state.attempted = Some(now);
        state.is_fetching = true;
        let issuer = Arc::clone(self);
        let run = move || {
            let fetched = catch_unwind(AssertUnwindSafe(|| issuer.request_keys()));
            issuer.end_fetch(fetched.unwrap_or_else(|_| Err("a fault of this server".to_owned())));
        };
        let started = std::thread::Builder::new()
            .name("issuer".to_owned())
            .spawn(run);
        if let Err(error) = started {
            log::error!(issuer = self.url.as_str(), error:% = error; "cannot start a thread");
            state.is_fetching = false;
            state.waiting.drain(..).for_each(Waker::wake);
        }
    }

    fn end_fetch(&self, fetched: Result<KeySet, String>) {
        let mut state = self.state();
        state.has_failed = fetched.is_err();
        match fetched {
            Ok(keys) => {
                log::info!(issuer = self.url.as_str(); "the keys of the issuer are fetched");
                state.keys = Some(Arc::new(keys));
                state.fetched = Some(self.clock.now());
            }
            Err(error) => log::warn!(
                issuer = self.url.as_str(), error = error.as_str(),
                has_keys = state.keys.is_some();
                "the keys of the issuer cannot be fetched"
            ),
        }
        // Those who waited are answered, however long it took.
        state.attempted = Some(self.clock.now());
        state.is_fetching = false;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn request_keys(&self) -> Result<KeySet, String> {
        let base = self.url.trim_end_matches('/');
        let discovery = self.get(&format!("{base}/.well-known/openid-configuration"))?;
        let discovery: Discovery = serde_json::from_slice(&discovery)
            .map_err(|_| "its configuration is not the JSON of OpenID Connect".to_owned())?;
        if discovery.issuer != self.url {
            return Err("its configuration names another issuer".to_owned());
        }
        let is_downgraded =
            self.url.starts_with("https:") && discovery.jwks_uri.starts_with("http:");
        if is_downgraded || !is_fetchable(&discovery.jwks_uri) {
            return Err("its configuration has no https address of its keys".to_owned());
        }
        Ok(KeySet::read(&self.get(&discovery.jwks_uri)?)?)
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let response = self.client.send(&Request {
            method: Method::Get,
            url,
            headers: &[("accept", "application/json".to_owned())],
            body: Body::Empty,
        });
        let response = response.map_err(|failure| failure.to_string())?;
        match response.status() {
            200 => {}
            status @ 300..=399 => {
                return Err(format!("it answers {status}: redirects are refused"));
            }
            status => return Err(format!("it answers {status}")),
        }
        let body = response.read_to_end(ISSUER_ANSWER_BYTES_MAX);
        body.map_err(|failure| failure.to_string())
    }
}

impl Awaited for Issuer {
    fn wake(&self, waker: Waker) {
        let mut state = self.state();
        if state.is_fetching {
            state.waiting.push(waker);
        } else {
            drop(state);
            waker.wake();
        }
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)
    }
}

impl State {
    fn may_fetch(&self, now: Instant) -> bool {
        let interval: Duration = match self.keys {
            Some(_) => ISSUER_REFRESH_INTERVAL,
            // What the answer to those who waited says.
            None => Duration::from_secs(RETRY_AFTER_SECONDS.into()),
        };
        let is_due = |at: Instant| now.duration_since(at) >= interval;
        !self.is_fetching && self.attempted.is_none_or(is_due)
    }
}
