//! Signing a request, sending it, and sending it again.
//!
//! Invariants: a request is sent at most `S3_TRIES_MAX` times within `S3_TRIES_TIME_MAX`, and once
//! more each after the clock was corrected and after other credentials arrived. Everything here may
//! be sent twice: a second create finds its object and fails, and the caller tells by the metadata
//! whether the first one made it.

use super::answer::{Refusal, refusal};
use super::credentials::CredentialCache;
use super::error::{Result, S3Error, S3ErrorKind};
use super::sign::{Signer, Target};
use crate::client::{Body, Client, Failure, FailureKind, Method, Request, Response};
use crate::clock::{self, Clock};
use crate::limits::bucket::{
    CLOCK_SKEW_MAX, S3_FIRST_PAUSE, S3_PAUSE_MAX, S3_TRIES_MAX, S3_TRIES_TIME_MAX,
};
use crate::metrics::{Operation, Outcome, StoreMetrics};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// One request, apart from what signing adds.
#[derive(Debug)]
pub struct Call<'c> {
    pub operation: Operation,
    /// Completes "cannot …".
    pub action: String,
    pub method: Method,
    pub target: Target,
    /// Names in lower case.
    pub headers: Vec<(&'c str, String)>,
    pub body: Body<'c>,
    /// Of the body, hexadecimal.
    pub payload_sha256: String,
}

/// Sends the requests of one bucket.
#[derive(Debug)]
pub struct Sender {
    pub client: Client,
    pub credentials: CredentialCache,
    pub bucket: String,
    pub region: String,
    pub metrics: Arc<StoreMetrics>,
    pub clock: Clock,
    /// What the store's clock is ahead of this host's, in seconds; 0 while it makes no difference.
    pub skew_seconds: AtomicI64,
}

/// What has been mended once already.
#[derive(Default)]
struct Mended {
    clock: bool,
    credentials: bool,
}

impl Sender {
    /// A successful response; anything else is an error.
    pub fn send(&self, call: &Call<'_>) -> Result<Response> {
        let began = self.clock.now();
        let mut tries = 1;
        let mut mended = Mended::default();
        loop {
            let (error, may_pass) = match self.try_once(call, &mut mended)? {
                Try::Done(response) => return Ok(response),
                Try::Mended => continue,
                Try::Failed { error, may_pass } => (error, may_pass),
            };
            let elapsed = self.clock.now().saturating_duration_since(began);
            if !may_pass || tries == S3_TRIES_MAX || elapsed >= S3_TRIES_TIME_MAX {
                return Err(error);
            }
            log::debug!(error:% = error, tries; "a request to the store is sent again");
            pause(tries);
            tries += 1;
            self.metrics.retries.fetch_add(1, Relaxed);
        }
    }

    fn try_once(&self, call: &Call<'_>, mended: &mut Mended) -> Result<Try> {
        let credentials = self.credentials.current();
        let credentials = credentials.map_err(|why| S3Error::new(S3ErrorKind::Refused, why))?;
        let signer = Signer {
            credentials: &credentials,
            region: &self.region,
            time: self.store_time(),
        };
        let mut headers = call.headers.clone();
        let method = call.method.as_str();
        signer.sign(method, &call.target, &call.payload_sha256, &mut headers);
        let request = Request {
            method: call.method,
            url: &call.target.url(),
            headers: &headers,
            body: call.body,
        };
        let begin = self.clock.now();
        let answer = self.client.send(&request);
        let duration = self.clock.now().saturating_duration_since(begin);
        self.metrics
            .finished(call.operation, outcome(&answer), duration);
        let response = match answer {
            Ok(response) if response.status() < 300 => return Ok(Try::Done(response)),
            Ok(response) => response,
            Err(failure) => {
                let error = unreachable(&call.action, &failure);
                let may_pass = failure.kind != FailureKind::Invalid;
                return Ok(Try::Failed { error, may_pass });
            }
        };
        let refusal = refusal(response, &call.action, &self.bucket, &self.region);
        if !mended.clock && self.correct_clock(&refusal, signer.time) {
            mended.clock = true;
            return Ok(Try::Mended);
        }
        if refusal.of_credentials && !mended.credentials {
            mended.credentials = true;
            if self.credentials.refused(&credentials) {
                return Ok(Try::Mended);
            }
        }
        Ok(Try::Failed {
            error: refusal.error,
            may_pass: refusal.may_pass,
        })
    }

    /// The time on the store's clock, as far as it is known.
    pub fn store_time(&self) -> SystemTime {
        let skew = self.skew_seconds.load(Relaxed);
        let by = Duration::from_secs(skew.unsigned_abs());
        let now = clock::wall_now();
        if skew < 0 { now - by } else { now + by }
    }

    /// Takes the store's clock over where a refusal may come from the difference. Returns whether
    /// to sign the request again. An answer to HEAD does not say why, but has the date.
    fn correct_clock(&self, refusal: &Refusal, signed_at: SystemTime) -> bool {
        let is_clock = refusal.error.kind == S3ErrorKind::ClockSkew;
        let Some(date) = refusal.date.filter(|_| is_clock || refusal.of_credentials) else {
            return false;
        };
        let off = |time: SystemTime| match date.duration_since(time) {
            Ok(ahead) => (ahead, 1),
            Err(error) => (error.duration(), -1),
        };
        if off(signed_at).0 < CLOCK_SKEW_MAX {
            return false;
        }
        if off(self.store_time()).0 < CLOCK_SKEW_MAX {
            // Corrected meanwhile, for another request.
            return true;
        }
        let (by, sign) = off(clock::wall_now());
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX) * sign;
        self.skew_seconds.store(seconds, Relaxed);
        log::warn!(seconds; "this host's clock differs from the store's, which is used to sign");
        true
    }
}

enum Try {
    Done(Response),
    /// Something was corrected: send it again at once.
    Mended,
    Failed {
        error: S3Error,
        may_pass: bool,
    },
}

fn unreachable(action: &str, failure: &Failure) -> S3Error {
    let kind = match failure.kind {
        FailureKind::Invalid => S3ErrorKind::Invalid,
        _ => S3ErrorKind::Unavailable,
    };
    S3Error::new(kind, format!("cannot {action}: {failure}"))
}

fn outcome(answer: &std::result::Result<Response, Failure>) -> Outcome {
    match answer.as_ref().map(Response::status) {
        Ok(200..=299 | 304 | 404 | 412) => Outcome::Answered,
        Ok(401 | 403) => Outcome::Refused,
        Ok(409 | 429) => Outcome::Throttled,
        Ok(_) => Outcome::Failed,
        Err(_) => Outcome::Unreachable,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread of the storage waits for the store, which is all it has to do"
)]
fn pause(tries: u32) {
    let longest = S3_FIRST_PAUSE * 4_u32.pow(tries - 1);
    let half = longest.min(S3_PAUSE_MAX) / 2;
    let random = RandomState::new().hash_one(tries) % 1000;
    let jitter = half * u32::try_from(random).unwrap_or_default() / 1000;
    std::thread::sleep(half + jitter);
}
