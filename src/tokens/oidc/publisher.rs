//! What an entry requires of an identity token: its issuer, its audience and its claims.
//!
//! Invariant: an entry names at least one claim, and at an issuer whose tokens everybody can get,
//! one that tells publishers apart.

use super::claims::Claims;
use super::issuer::is_fetchable;
use crate::tokens::grant::NamePattern;

/// Issuers that sign tokens for everybody who has an account.
const PUBLIC_ISSUERS: [&str; 2] = [
    "https://token.actions.githubusercontent.com",
    "https://gitlab.com",
];

/// Claims that name a project or its owner.
const OWNER_CLAIMS: [&str; 9] = [
    "sub",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "project_path",
    "project_id",
    "namespace_path",
    "namespace_id",
];

#[derive(Clone, Debug)]
pub struct Publisher {
    pub issuer: String,
    pub audience: String,
    /// Names of claims, each with the pattern that its value must match.
    claims: Vec<(String, NamePattern)>,
}

impl Publisher {
    /// The error is a sentence about a key of the entry.
    pub fn new(issuer: &str, audience: &str, claims: &[(String, String)]) -> Result<Self, String> {
        if !is_fetchable(issuer) {
            return Err(
                "issuer: it takes an https URL, as the issuer writes it in its tokens \
                        (http only for this host itself)"
                    .to_owned(),
            );
        }
        let tells_apart = |(name, pattern): &(String, String)| {
            let whole = match pattern.split_once(['*', '?']) {
                Some((begin, _)) => begin.contains('/'),
                None => true,
            };
            OWNER_CLAIMS.contains(&name.as_str()) && whole
        };
        if PUBLIC_ISSUERS.contains(&issuer) && !claims.iter().any(tells_apart) {
            return Err(format!(
                "claims: everybody can get tokens of this issuer, so one of {} is needed, with a \
                 value without * and ?, or with them after a / only",
                OWNER_CLAIMS.join(", ")
            ));
        }
        let pattern =
            |(name, pattern): &(String, String)| (name.clone(), NamePattern::new(pattern));
        Ok(Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            claims: claims.iter().map(pattern).collect(),
        })
    }

    /// The claims that do not fit.
    pub(super) fn misfits(&self, claims: &Claims) -> Vec<&str> {
        let is_misfit = |(name, pattern): &&(String, NamePattern)| {
            !claims.any(name, |value| pattern.matches(value))
        };
        let misfits = self.claims.iter().filter(is_misfit);
        misfits.map(|(name, _)| name.as_str()).collect()
    }
}
