//! Judging an identity token.
//!
//! The order: its form, its issuer, its key, its signature, its times, its audience, its claims.
//! Everything after the signature is what the issuer has said.
//!
//! Invariant: the result depends on the token, the entries, the issuer's keys and the time alone.

use super::claims::Claims;
use super::compact::Unverified;
use super::issuer::{Issuer, Lookup};
use super::publisher::Publisher;
use crate::client::{Client, Options};
use crate::clock::Clock;
use crate::limits::{IDENTITY_TIME_SLACK, ISSUER_TIME_MAX};
use crate::tokens::grant::Grant;
use crate::tokens::refusal::{IdentityRefusal, Judgement};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// The issuers that entries name, and their keys.
pub struct Identities {
    ca_file: Option<PathBuf>,
    /// Made for the first identity token: the built-in authorities take memory.
    client: OnceLock<Client>,
    clock: Clock,
    issuers: Mutex<HashMap<String, Arc<Issuer>>>,
}

/// An entry that takes identity tokens.
pub type Accepting<'e> = (&'e Publisher, &'e Arc<Grant>);

fn new_client(ca_file: Option<&Path>) -> Result<Client, String> {
    let total_time_max = Some(ISSUER_TIME_MAX);
    Client::new(&Options {
        ca_file,
        total_time_max,
    })
}

impl Identities {
    /// The error is a sentence about the file of authorities.
    pub fn new(ca_file: Option<PathBuf>, clock: Clock) -> Result<Self, String> {
        let client = OnceLock::new();
        if ca_file.is_some() {
            let _ = client.set(new_client(ca_file.as_deref())?);
        }
        Ok(Self {
            ca_file,
            client,
            clock,
            issuers: Mutex::default(),
        })
    }

    fn client(&self) -> Result<Client, String> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = new_client(self.ca_file.as_deref())?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    /// The issuer of this URL, which an entry names.
    fn issuer(&self, url: &str) -> Result<Arc<Issuer>, String> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issuer) = issuers.get(url) {
            return Ok(Arc::clone(issuer));
        }
        let issuer = Issuer::new(url, self.client()?, self.clock.clone());
        issuers.insert(url.to_owned(), Arc::clone(&issuer));
        Ok(issuer)
    }

    pub fn judge(&self, token: &[u8], entries: &[Accepting<'_>], now: SystemTime) -> Judgement {
        match self.verify(token, entries) {
            Ok(claims) => match check(&claims, entries, now) {
                Ok(grant) => {
                    let subject = claims.text("sub").map(str::to_owned);
                    let grant = Grant {
                        subject,
                        ..Grant::clone(grant)
                    };
                    Judgement::Accepted(Arc::new(grant))
                }
                Err(refusal) => Judgement::Refused(refusal),
            },
            Err(judgement) => judgement,
        }
    }

    /// The claims of a token that one of the entries' issuers has signed.
    fn verify(&self, token: &[u8], entries: &[Accepting<'_>]) -> Result<Claims, Judgement> {
        use IdentityRefusal::{Key, Malformed, Signature, UnknownIssuer};
        let refused = Judgement::Refused;
        let token = Unverified::parse(token).map_err(refused)?;
        let url = token.claims.text("iss").ok_or(refused(Malformed))?;
        if !entries.iter().any(|(publisher, _)| publisher.issuer == url) {
            return Err(refused(UnknownIssuer(url.to_owned())));
        }
        let issuer = self.issuer(url).map_err(|error| {
            log::error!(error; "the keys of issuers cannot be fetched");
            Judgement::Unavailable(url.to_owned())
        })?;
        let id = token.key_id.as_deref();
        let keys = match issuer.look_up(id, token.algorithm) {
            Lookup::Known(keys) => keys,
            Lookup::Unknown => return Err(refused(Key)),
            Lookup::Unavailable => return Err(Judgement::Unavailable(url.to_owned())),
            Lookup::Unfetched => return Err(Judgement::Unfetched(issuer)),
        };
        let key = keys.find(id, token.algorithm).ok_or(refused(Key))?;
        if key.is_signature(token.signed, &token.signature) {
            Ok(token.claims)
        } else {
            Err(refused(Signature))
        }
    }
}

/// The grant of the first entry that fits. The refusal is about the entry that fits best, which is
/// probably the one that is meant.
fn check<'e>(
    claims: &Claims,
    entries: &[Accepting<'e>],
    now: SystemTime,
) -> Result<&'e Arc<Grant>, IdentityRefusal> {
    check_times(claims, now)?;
    let issuer = claims.text("iss").unwrap_or_default();
    let is_for = |publisher: &Publisher| {
        publisher.issuer == issuer && claims.has_audience(&publisher.audience)
    };
    let entries = entries.iter().filter(|(publisher, _)| is_for(publisher));
    let judged = entries.map(|(publisher, grant)| (publisher.misfits(claims), grant));
    // Of equals, the first.
    match judged.min_by_key(|(misfits, _)| misfits.len()) {
        None => Err(IdentityRefusal::Audience),
        Some((misfits, grant)) if misfits.is_empty() => Ok(grant),
        Some((misfits, _)) => {
            let names = misfits.into_iter().map(str::to_owned);
            Err(IdentityRefusal::Claims(names.collect()))
        }
    }
}

/// Each with some slack, since clocks differ.
fn check_times(claims: &Claims, now: SystemTime) -> Result<(), IdentityRefusal> {
    use IdentityRefusal::{Early, Expired, Malformed};
    let time = |name| claims.time(name).map_err(|()| Malformed);
    let expires = time("exp")?.ok_or(Malformed)?;
    if expires + IDENTITY_TIME_SLACK <= now {
        return Err(Expired(expires));
    }
    for begins in [time("nbf")?, time("iat")?].into_iter().flatten() {
        if begins > now + IDENTITY_TIME_SLACK {
            return Err(Early(begins));
        }
    }
    Ok(())
}
