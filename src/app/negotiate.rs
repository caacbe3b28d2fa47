//! Content negotiation: the form of a list, its page, switches in the query.
//!
//! Invariant: `?format=` overrides `Accept`; a format other than HTML and JSON is refused, not
//! guessed.
//!
//! Source: RFC 9110, section 12.5.1.

use crate::app::error::ApiError;
use crate::app::release::PACKAGE_CONTENT_TYPE;
use crate::http::fields::Fields;
use crate::http::service::Request;
use crate::limits::{NAME_BYTES_MAX, PAGE_ITEMS, PAGE_ITEMS_MAX};
use crate::text;

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
        None if prefers_json(&request.fields) => Ok(Format::Json),
        None => Ok(Format::Html),
    }
}

/// Whether a person reads the answer: a browser names HTML in its `Accept`, programs do not.
pub fn wants_page(request: &Request<'_>) -> bool {
    weight(&request.fields, is_html) > weight(&request.fields, is_json)
}

/// Whether `Accept` gives JSON more weight than HTML.
fn prefers_json(fields: &Fields<'_, '_>) -> bool {
    weight(fields, is_json) > weight(fields, is_html)
}

/// Whether `Accept` gives the bytes of a file more weight than the object that describes it.
pub fn prefers_bytes(fields: &Fields<'_, '_>) -> bool {
    let is_object =
        |media_type: &str| is_json(media_type) || media_type.starts_with("application/vnd.github");
    weight(fields, |media_type| media_type == PACKAGE_CONTENT_TYPE) > weight(fields, is_object)
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
}

fn is_html(media_type: &str) -> bool {
    matches!(media_type, "text/html" | "application/xhtml+xml")
}

/// The highest weight that `Accept` gives to any of these media types. Wildcards count for none.
fn weight(fields: &Fields<'_, '_>, is_meant: impl Fn(&str) -> bool) -> f32 {
    let mut most = 0.0_f32;
    for member in fields.members("accept") {
        let text = String::from_utf8_lossy(member).to_ascii_lowercase();
        let mut pieces = text.split(';').map(str::trim);
        let media_type = pieces.next().unwrap_or_default();
        let quality: f32 = pieces
            .find_map(|piece| piece.strip_prefix("q="))
            .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        if is_meant(media_type) {
            most = quality.max(most);
        }
    }
    most
}

/// The section of a list that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Counted from 1.
    pub number: usize,
    /// Items per page.
    pub size: usize,
}

impl Page {
    /// This page of a list, or, beyond its end, the first empty page.
    #[must_use]
    pub fn within(self, items: usize) -> Self {
        let pages = items.div_ceil(self.size);
        Self {
            number: self.number.min(pages + 1),
            ..self
        }
    }

    /// The items of a list on this page.
    pub fn of<T>(self, items: &[T]) -> &[T] {
        let before = (self.number - 1).saturating_mul(self.size).min(items.len());
        let rest = &items[before..];
        &rest[..rest.len().min(self.size)]
    }
}

/// The page that a request asks for. A size over the maximum counts as the maximum, as with GitHub.
pub fn page(request: &Request<'_>) -> Result<Page, ApiError> {
    let number = |name: &'static str, default: usize| match request.target.parameter(name) {
        None => Ok(default),
        Some(text) => {
            let number = text::number(&text).filter(|number| *number > 0);
            number.ok_or_else(|| ApiError::Parameter {
                name,
                value: text.into_owned(),
                takes: "a whole number from 1 on",
            })
        }
    };
    Ok(Page {
        number: number("page", 1)?,
        size: number("per_page", PAGE_ITEMS)?.min(PAGE_ITEMS_MAX),
    })
}

/// The packages of a list that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// `None` for all.
    pub page: Option<Page>,
    /// Words in lower case, one blank between them, that a name must contain.
    pub words: Box<str>,
}

impl Selection {
    pub fn contains(&self, name: &str) -> bool {
        self.words.is_empty() || {
            let name = name.to_lowercase();
            self.words.split(' ').all(|word| name.contains(word))
        }
    }
}

/// The selection that a request asks for.
pub fn selection(request: &Request<'_>) -> Result<Selection, ApiError> {
    let given = |name| request.target.parameter(name);
    let q = given("q").unwrap_or_default();
    if q.len() > NAME_BYTES_MAX {
        return Err(ApiError::Parameter {
            name: "q",
            value: q.into_owned(),
            takes: "words of a name, of at most 240 bytes together",
        });
    }
    let is_paged = given("page").is_some() || given("per_page").is_some();
    let words = q.to_lowercase();
    Ok(Selection {
        page: is_paged.then(|| page(request)).transpose()?,
        words: words
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .into(),
    })
}

/// Whether an upload may replace a package.
pub fn overwrite(request: &Request<'_>) -> Result<bool, ApiError> {
    match request.target.parameter("overwrite") {
        None => Ok(false),
        Some(text) => text::switch(&text).ok_or_else(|| ApiError::Parameter {
            name: "overwrite",
            value: text.into_owned(),
            takes: "true, false, 1, 0, yes, no, on or off",
        }),
    }
}
