//! `Content-Disposition`: of the parts of a form, and of a download.
//!
//! Invariant: a file name is kept exactly or refused, and never shortened at a `;` or a quote.
//!
//! Browsers, curl, `requests` and Node send a quote in a name as `%22` (the WHATWG HTML standard,
//! "multipart form data"; CR and LF likewise) and leave every other percent sign alone, so exactly
//! these three are decoded in `filename`.
//!
//! Sources: RFC 7578, section 4.2; RFC 6266; RFC 8187, section 3.2 (`filename*`).

use crate::http::parameters::{Malformed, Parameterised};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// The parameters of a form's part.
#[derive(Debug, PartialEq, Eq)]
pub struct FormData {
    pub name: String,
    /// Present where the part is a file.
    pub filename: Option<String>,
}

/// Parses the `Content-Disposition` of a form's part.
pub fn parse_form_data(value: &[u8]) -> Result<FormData, Malformed> {
    let parsed = Parameterised::parse(value)?;
    if parsed.value != "form-data" {
        return Err(Malformed);
    }
    let name = parsed.get("name").ok_or(Malformed)?;
    // RFC 6266, section 4.3: `filename*` overrides `filename`.
    let filename = match (parsed.get("filename*"), parsed.get("filename")) {
        (Some(extended), _) => Some(decode_extended(extended)?),
        (None, Some(plain)) => Some(unescape(text(plain)?)),
        (None, None) => None,
    };
    Ok(FormData {
        name: unescape(text(name)?),
        filename,
    })
}

fn text(bytes: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)
}

fn unescape(text: String) -> String {
    if !text.contains('%') {
        return text;
    }
    text.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// `UTF-8'language'percent-encoded`; other character sets are obsolete (RFC 8187, section 3.2.1).
fn decode_extended(value: &[u8]) -> Result<String, Malformed> {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_language), Some(encoded))
            if charset.eq_ignore_ascii_case(b"utf-8") =>
        {
            percent_decode(encoded)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| Malformed)
        }
        _ => Err(Malformed),
    }
}

/// Every character except `attr-char` of RFC 8187, section 3.2.1.
const NOT_ATTRIBUTE_CHARACTER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The value for a download of a file called `name`. A name that a client could misread in
/// `filename` (not ASCII, or with a percent sign, which some decode) is also sent in `filename*`,
/// which every current client prefers.
pub fn attachment(name: &str) -> String {
    let mut value = String::from("attachment; filename=\"");
    for character in name.chars() {
        match character {
            '"' | '\\' => value.extend(['\\', character]),
            ' '..='~' => value.push(character),
            _ => value.push('_'),
        }
    }
    value.push('"');
    if !name.is_ascii() || name.contains(['%', '"', '\\']) {
        value.push_str("; filename*=UTF-8''");
        value.extend(utf8_percent_encode(name, NOT_ATTRIBUTE_CHARACTER));
    }
    value
}
