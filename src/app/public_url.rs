//! The base of the URLs in answers: how this client reaches this server.
//!
//! Invariants: a base is the configured `public_url`, a checked Host, or checked fields of a
//! trusted proxy; no other text of a client reaches an answer's URLs.
//!
//! Source: docs/contract.md, section 2, last paragraph.

use crate::app::error::ApiError;
use crate::http::authority;
use crate::http::fields::Fields;
use crate::http::service::{Channel, Request};
use crate::limits::PREFIX_BYTES_MAX;
use crate::text;
use std::borrow::Cow;

/// The source of the base.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    fixed: Option<String>,
    trust_forwarded: bool,
    /// The port on which this server serves requests.
    port: u16,
}

impl PublicUrl {
    /// `fixed` overrides every header; `trust_forwarded` lets `X-Forwarded-*` override `Host`.
    pub fn new(fixed: Option<String>, trust_forwarded: bool, port: u16) -> Self {
        Self {
            fixed,
            trust_forwarded,
            port,
        }
    }

    /// The base for this request, without a trailing slash.
    pub fn base(&self, request: &Request<'_>) -> Result<Cow<'_, str>, ApiError> {
        if let Some(fixed) = &self.fixed {
            return Ok(Cow::Borrowed(fixed));
        }
        let own_scheme = match request.channel {
            Channel::Tls => "https",
            Channel::Clear | Channel::ClearBesideTls => "http",
        };
        if !self.trust_forwarded {
            return Ok(Cow::Owned([own_scheme, "://", request.authority].concat()));
        }
        let fields = &request.fields;
        let scheme = match forwarded(fields, "x-forwarded-proto") {
            None => own_scheme,
            Some(b"http") => "http",
            Some(b"https") => "https",
            Some(_) => return Err(ApiError::Forwarded("X-Forwarded-Proto")),
        };
        let host = match forwarded(fields, "x-forwarded-host") {
            None => request.authority,
            Some(host) => authority::parse(host).ok_or(ApiError::Forwarded("X-Forwarded-Host"))?,
        };
        let prefix = match forwarded(fields, "x-forwarded-prefix") {
            None => "",
            Some(prefix) => std::str::from_utf8(prefix)
                .ok()
                .map(|prefix| prefix.trim_end_matches('/'))
                .filter(|prefix| prefix.len() <= PREFIX_BYTES_MAX && text::is_url_path(prefix))
                .ok_or(ApiError::Forwarded("X-Forwarded-Prefix"))?,
        };
        Ok(Cow::Owned(format!("{scheme}://{host}{prefix}")))
    }

    /// The base of the same server over HTTPS, for a request that came to its port in clear.
    pub fn base_of_https(&self, request: &Request<'_>) -> Cow<'_, str> {
        if let Some(fixed) = &self.fixed {
            return Cow::Borrowed(fixed);
        }
        let host = authority::host(request.authority);
        Cow::Owned(match self.port {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        })
    }
}

/// The value that the proxy nearest to the client set: the first member of the list.
fn forwarded<'b>(fields: &Fields<'_, 'b>, name: &str) -> Option<&'b [u8]> {
    fields.members(name).next()
}

/// The path of a base URL, which redirects within the server begin with.
pub fn path_of(base: &str) -> &str {
    // A base begins with a scheme and `://`.
    let after_scheme = base.find(':').map_or(0, |at| at + 3);
    base[after_scheme..]
        .find('/')
        .map_or("", |at| &base[after_scheme + at..])
}
