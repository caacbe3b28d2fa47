//! Authorization of writes: a request must carry a token, which must have the right.
//!
//! Invariants: the decision is made from the head, before any body is read, but for names that only
//! the body holds; reads never consult it; no token is ever part of a message.
//!
//! Sources: RFC 6750, sections 2.1 and 3; RFC 9110, section 11.4 (the scheme is case-insensitive).
//! `token` was the scheme of GitHub's clients before `Bearer`, and some still send it.

use crate::app::error::{ApiError, TokenError};
use crate::app::state::AppState;
use crate::clock;
use crate::http::fields::Fields;
use crate::http::service::Request;
use crate::metrics::TokenOutcome;
use crate::storage::{Overwrite, PackageName};
use crate::tokens::{AwaitedKeys, Denied, Grant, IdentityRefusal, Right};
use std::sync::Arc;
use tiny_http::Method;

/// What became of a token.
pub enum Authenticated {
    Granted(Arc<Grant>),
    /// The request is decided again when the keys of the token's issuer have been fetched.
    Again(AwaitedKeys),
}

/// What the token of a write may.
pub fn authenticate(state: &AppState, request: &Request<'_>) -> Result<Authenticated, ApiError> {
    let count = |outcome| state.metrics.tokens.count(outcome);
    let given = token(&request.fields).inspect_err(|_| count(TokenOutcome::Missing))?;
    let denied = match state.tokens.find(given, clock::wall_now()) {
        Ok(grant) => {
            count(TokenOutcome::Accepted);
            return Ok(Authenticated::Granted(grant));
        }
        Err(Denied::Unfetched(fetch)) => return Ok(Authenticated::Again(fetch)),
        Err(denied) => denied,
    };
    count(match denied {
        Denied::Expired { .. } | Denied::Identity(IdentityRefusal::Expired(_)) => {
            TokenOutcome::Expired
        }
        Denied::Unavailable(_) => TokenOutcome::Unavailable,
        _ => TokenOutcome::Refused,
    });
    Err(TokenError::Denied(denied).into())
}

/// Refuses a method whose right the token does not have on any package.
pub fn check_method(state: &AppState, grant: &Arc<Grant>, method: &Method) -> Result<(), ApiError> {
    let right = match method {
        Method::Delete => Right::Delete,
        Method::Patch => Right::Overwrite,
        _ => Right::Publish,
    };
    if grant.has(right) {
        Ok(())
    } else {
        Err(forbidden(state, grant, right, None))
    }
}

/// Refuses a package that the token's grant does not cover.
pub fn permit(
    state: &AppState,
    grant: &Arc<Grant>,
    right: Right,
    name: &PackageName,
) -> Result<(), ApiError> {
    if grant.has(right) && grant.covers(name.as_str()) {
        Ok(())
    } else {
        Err(forbidden(state, grant, right, Some(name)))
    }
}

/// What a publish does about an existing package, given that the request asks to replace it or not.
pub fn overwrite(grant: &Grant, is_requested: bool) -> Overwrite {
    match (is_requested, grant.has(Right::Overwrite)) {
        (false, _) => Overwrite::No,
        (true, true) => Overwrite::Yes,
        (true, false) => Overwrite::Forbidden,
    }
}

/// The error for a right that a token does not have, on a package or on any.
pub fn forbidden(
    state: &AppState,
    grant: &Arc<Grant>,
    right: Right,
    name: Option<&PackageName>,
) -> ApiError {
    state.metrics.tokens.count(TokenOutcome::Forbidden);
    let error = TokenError::Forbidden {
        grant: Arc::clone(grant),
        right,
        name: name.map(PackageName::to_string),
    };
    error.into()
}

/// The token in a request's head.
fn token<'f>(fields: &Fields<'f, '_>) -> Result<&'f [u8], ApiError> {
    let mut headers = fields.all("authorization");
    let Some(header) = headers.next() else {
        return Err(ApiError::Unauthorized(
            "A token is needed; send it as 'Authorization: Bearer TOKEN'",
        ));
    };
    if headers.any(|other| other != header) {
        return Err(ApiError::Unauthorized(
            "There are two different Authorization headers; send one",
        ));
    }
    let (scheme, given) = header.split_at(
        header
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(header.len()),
    );
    if !scheme.eq_ignore_ascii_case(b"bearer") && !scheme.eq_ignore_ascii_case(b"token") {
        return Err(ApiError::Unauthorized(
            "The Authorization header has another scheme; send 'Authorization: Bearer TOKEN'",
        ));
    }
    Ok(given.trim_ascii())
}
