//! Values in texts that settings, requests and answers have in common: numbers, switches, paths of
//! URLs.
//!
//! Invariant: each function takes exactly what it documents and reports only whether the text
//! matched; the caller knows the setting or parameter and makes the sentence about it.

use std::borrow::Cow;

/// A number: decimal digits alone, without a sign.
pub fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Appends a number in decimal digits.
pub fn push_number(out: &mut Vec<u8>, mut number: u64) {
    // The longest has 20 digits.
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = last_digit(number);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The last decimal digit of a number.
pub fn last_digit(number: u64) -> u8 {
    b"0123456789"[usize::try_from(number % 10).unwrap_or(0)]
}

/// A switch, as YAML, shells and query strings write it.
pub fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Whether the text is empty, or a path that begins with a slash and needs no further encoding
/// (RFC 3986, section 3.3).
pub fn is_url_path(path: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    // Each percent sign is followed by two hexadecimal digits.
    let mut pieces = path.split('%');
    let unencoded = pieces.next().unwrap_or_default();
    let encoded = |piece: &str| {
        let bytes = piece.as_bytes();
        bytes.len() >= 2 && bytes[..2].iter().all(u8::is_ascii_hexdigit)
    };
    path.is_empty()
        || (path.starts_with('/')
            && !path.starts_with("//")
            && unencoded.bytes().all(safe)
            && pieces.all(|piece| encoded(piece) && piece.bytes().all(safe)))
}

/// As much of a client's text as a sentence about it needs: the first 256 characters.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    const CHARACTERS_MAX: usize = 256;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
