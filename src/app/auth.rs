//! Authorization of writes: a request must carry the token.
//!
//! Invariants: the decision is made from the head, before any body is read; reads never consult it;
//! neither the configured nor the received token is ever part of a message.
//!
//! Sources: RFC 6750, sections 2.1 and 3; RFC 9110, section 11.4 (the scheme is case-insensitive).
//! `token` was the scheme of GitHub's clients before `Bearer`, and some still send it.

use crate::app::error::ApiError;
use crate::config::token::Token;
use crate::http::fields::Fields;

/// Accepts a request that carries the token.
pub fn check(token: &Token, fields: &Fields<'_, '_>) -> Result<(), ApiError> {
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
    if !token.matches(given.trim_ascii()) {
        return Err(ApiError::Unauthorized("The token is wrong"));
    }
    Ok(())
}
