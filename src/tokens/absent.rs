//! What stands for trusted publishing in a binary that is built without it.
//!
//! Invariant: an entry that asks for it refuses its file, so no value of [`Publisher`] is ever
//! made.

use super::grant::Grant;
use super::refusal::{IdentityRefusal, Judgement};
use crate::clock::Clock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Clone, Debug)]
pub enum Publisher {}

impl Publisher {
    pub fn new(
        _issuer: &str,
        _audience: &str,
        _claims: &[(String, String)],
    ) -> Result<Self, String> {
        Err(
            "issuer: this binary is built without trusted publishing; build it with the feature \
             oidc"
                .to_owned(),
        )
    }
}

pub struct Identities;

impl Identities {
    pub fn new(_ca_file: Option<PathBuf>, _clock: Clock) -> Result<Self, String> {
        Ok(Self)
    }

    pub fn judge(
        &self,
        _token: &[u8],
        _entries: &[(&Publisher, &Arc<Grant>)],
        _now: SystemTime,
    ) -> Judgement {
        Judgement::Refused(IdentityRefusal::Malformed)
    }
}
