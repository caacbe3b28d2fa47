//! Why the token of a write is refused, with its status and sentence.
//!
//! Invariant: a sentence names the token by the name of its entry and says what it may, only to a
//! client that sent the token.
//!
//! Source: RFC 6750, section 3.1 (401 for a token that is wrong or expired, 403 for a right that it
//! does not have).

use crate::date;
use crate::text::excerpt;
use crate::tokens::{Denied, Grant, Right};
use std::sync::Arc;

#[derive(Debug)]
pub enum TokenError {
    Denied(Denied),
    /// The token does not have a right, on a package or on any.
    Forbidden {
        grant: Arc<Grant>,
        right: Right,
        name: Option<String>,
    },
}

impl TokenError {
    pub fn status(&self) -> u16 {
        match self {
            Self::Denied(_) => 401,
            Self::Forbidden { .. } => 403,
        }
    }
}

impl std::fmt::Display for TokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Denied(Denied::Unknown) => f.write_str("The token is wrong"),
            Self::Denied(Denied::Mistyped) => f.write_str(
                "The token is mistyped or cut off: its checksum does not fit; copy it again",
            ),
            Self::Denied(Denied::Expired { name, at }) => {
                let at = date::rfc3339(*at);
                write!(f, "The token '{name}' expired at {at}")
            }
            Self::Forbidden { grant, right, name } => {
                let (token, right, may) = (&grant.name, right.word(), grant.describe());
                let may = excerpt(&may);
                match name {
                    Some(name) => {
                        let name = excerpt(name);
                        write!(
                            f,
                            "The token '{token}' may not {right} '{name}'; it may {may}"
                        )
                    }
                    None => write!(f, "The token '{token}' may not {right}; it may {may}"),
                }
            }
        }
    }
}
