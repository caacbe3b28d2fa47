//! Why the token of a write is refused, with its status and sentence.
//!
//! Invariant: a sentence names the token by the name of its entry and says what it may, only to a
//! client that sent the token.
//!
//! Source: RFC 6750, section 3.1 (401 for a token that is wrong or expired, 403 for a right that it
//! does not have).

use crate::date;
use crate::limits::IDENTITY_TOKEN_BYTES_MAX;
use crate::text::excerpt;
use crate::tokens::{Denied, Grant, IdentityRefusal, Right};
use std::fmt;
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
            Self::Denied(Denied::Unavailable(_) | Denied::Unfetched(_)) => 503,
            Self::Denied(_) => 401,
            Self::Forbidden { .. } => 403,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(Denied::Unknown) => f.write_str("The token is wrong"),
            Self::Denied(Denied::Mistyped) => f.write_str(
                "The token is mistyped or cut off: its checksum does not fit; copy it again",
            ),
            Self::Denied(Denied::Expired { name, at }) => {
                let at = date::rfc3339(*at);
                write!(f, "The token '{name}' expired at {at}")
            }
            Self::Denied(Denied::Identity(refusal)) => explain(refusal, f),
            Self::Denied(Denied::Unavailable(issuer)) => write!(
                f,
                "The keys of the issuer '{}' cannot be fetched at the moment; try again",
                excerpt(issuer)
            ),
            Self::Denied(Denied::Unfetched(_)) => {
                f.write_str("The keys of the token's issuer are being fetched; try again")
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

fn explain(refusal: &IdentityRefusal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match refusal {
        IdentityRefusal::Malformed => f.write_str(
            "The identity token is malformed, says something twice, or demands an extension",
        ),
        IdentityRefusal::TooLong => write!(
            f,
            "The identity token is over {IDENTITY_TOKEN_BYTES_MAX} bytes"
        ),
        IdentityRefusal::Algorithm => {
            f.write_str("The identity token is signed with another algorithm than RS256 and ES256")
        }
        IdentityRefusal::OwnKey => f.write_str(
            "The identity token names the key to check it with; only its issuer's keys count",
        ),
        IdentityRefusal::UnknownIssuer(issuer) => write!(
            f,
            "No entry accepts identity tokens of the issuer '{}'",
            excerpt(issuer)
        ),
        IdentityRefusal::Key => {
            f.write_str("The identity token is signed with a key that its issuer does not publish")
        }
        IdentityRefusal::Signature => f.write_str("The signature of the identity token is wrong"),
        IdentityRefusal::Expired(at) => {
            write!(f, "The identity token expired at {}", date::rfc3339(*at))
        }
        IdentityRefusal::Early(at) => {
            let at = date::rfc3339(*at);
            write!(f, "The identity token is not valid before {at}")
        }
        IdentityRefusal::Audience => f.write_str("The identity token is for another audience"),
        IdentityRefusal::Claims(names) => {
            let (claims, misfit) = match names.len() {
                1 => ("claim", "is missing or does not fit"),
                _ => ("claims", "are missing or do not fit"),
            };
            let names = names.join("', '");
            write!(
                f,
                "No entry accepts the identity token: its {claims} '{}' {misfit}",
                excerpt(&names)
            )
        }
    }
}
