//! What a client wants: a form of the list, a switch in the query.
//!
//! Invariant: `?format=` stands over `Accept`; what is neither HTML nor JSON is refused, not guessed.
//!
//! Source: RFC 9110, section 12.5.1.

use crate::app::error::ApiError;
use crate::config::value;
use crate::http::head::Fields;
use crate::http::service::Request;

/// The forms of the list of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A page for people.
    Html,
    /// An array of metadata.
    Json,
}

/// The form that a request asks for.
pub fn format(request: &Request<'_>) -> Result<Format, ApiError> {
    match request.target.parameter("format").as_deref() {
        Some("html") => Ok(Format::Html),
        Some("json") => Ok(Format::Json),
        Some(other) => Err(ApiError::Parameter {
            name: "format",
            value: other.to_owned(),
            takes: "html or json",
        }),
        None => match weights(&request.fields) {
            (json, html) if json > html => Ok(Format::Json),
            _ => Ok(Format::Html),
        },
    }
}

/// Whether a person reads the answer: a browser names HTML in its `Accept`, programs do not.
pub fn wants_page(request: &Request<'_>) -> bool {
    let (json, html) = weights(&request.fields);
    html > json
}

/// The weights that `Accept` gives to JSON and to HTML by name. Wildcards name neither.
fn weights(fields: &Fields<'_, '_>) -> (f32, f32) {
    let (mut json, mut html) = (0.0_f32, 0.0_f32);
    for member in fields.members("accept") {
        let text = String::from_utf8_lossy(member).to_ascii_lowercase();
        let mut pieces = text.split(';').map(str::trim);
        let media_type = pieces.next().unwrap_or_default();
        let quality: f32 = pieces
            .find_map(|piece| piece.strip_prefix("q="))
            .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        match media_type {
            "application/json" => json = quality.max(json),
            "text/html" | "application/xhtml+xml" => html = quality.max(html),
            _ => {}
        }
    }
    (json, html)
}

/// Whether an upload may replace a package.
pub fn overwrite(request: &Request<'_>) -> Result<bool, ApiError> {
    match request.target.parameter("overwrite") {
        None => Ok(false),
        Some(text) => value::switch(&text).ok_or_else(|| ApiError::Parameter {
            name: "overwrite",
            value: text.into_owned(),
            takes: "true, false, 1, 0, yes, no, on or off",
        }),
    }
}
