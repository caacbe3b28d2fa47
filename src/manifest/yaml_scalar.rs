//! Plain scalars as YAML 1.1 reads them: which are texts, and which PyYAML turns into something
//! else.
//!
//! Invariant: what is a text here is the same text for PyYAML 6, which `specify` reads manifests
//! with; `1.0`, `yes` and `2026-01-01` are none.
//!
//! Source: the YAML 1.1 types (bool, float, int, merge, null, timestamp, value), as the implicit
//! resolvers of PyYAML 6.0.3 have them.

/// What a plain scalar is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plain {
    Text,
    Null,
    Float(f64),
    /// A boolean, an integer, or a date.
    Other,
    /// What PyYAML merges, refuses, or cannot turn into a value.
    Refused,
}

/// Python refuses to read integers of more than 4,300 digits.
const NUMBER_BYTES_MAX: usize = 1000;

const WORDS: [&str; 22] = [
    "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on",
    "On", "ON", "off", "Off", "OFF", ".nan", ".NaN", ".NAN", ".inf",
];

/// What PyYAML makes of a plain scalar.
pub fn resolve(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "<<" | "=" => return Plain::Refused,
        _ if WORDS.contains(&text) => return Plain::Other,
        _ if [".inf", ".Inf", ".INF"].contains(&unsigned) => return Plain::Other,
        _ => {}
    }
    let begins_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if !unsigned.bytes().next().is_some_and(begins_number) {
        return Plain::Text;
    }
    let number = integer(unsigned)
        .or_else(|| float(text, unsigned))
        .or_else(|| sexagesimal(unsigned));
    match number.or_else(|| timestamp(text)) {
        Some(_) if text.len() > NUMBER_BYTES_MAX => Plain::Refused,
        Some(plain) => plain,
        None => Plain::Text,
    }
}

fn all(text: &str, belongs: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| byte == b'_' || belongs(byte))
}

fn integer(unsigned: &str) -> Option<Plain> {
    let prefixed = |digits: &str, is_digit: fn(u8) -> bool| {
        let fits = !digits.is_empty() && all(digits, is_digit);
        let is_empty = digits.bytes().all(|byte| byte == b'_');
        fits.then_some(if is_empty {
            Plain::Refused
        } else {
            Plain::Other
        })
    };
    if let Some(digits) = unsigned.strip_prefix("0b") {
        prefixed(digits, |byte| matches!(byte, b'0' | b'1'))
    } else if let Some(digits) = unsigned.strip_prefix("0x") {
        prefixed(digits, |byte| byte.is_ascii_hexdigit())
    } else if let Some(digits) = unsigned.strip_prefix('0') {
        all(digits, |byte| matches!(byte, b'0'..=b'7')).then_some(Plain::Other)
    } else {
        let begins = unsigned
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit());
        (begins && all(unsigned, |byte| byte.is_ascii_digit())).then_some(Plain::Other)
    }
}

/// A number with a dot; an exponent has a sign.
fn float(text: &str, unsigned: &str) -> Option<Plain> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let begins = |part: &str| {
        part.bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
    };
    // Without digits before the dot there is no sign, and digits after it.
    let has_digits = if whole.is_empty() {
        text == unsigned && begins(fraction)
    } else {
        begins(whole)
    };
    let is_exponent = |text: &str| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_float = has_digits
        && all(whole, |byte| byte.is_ascii_digit())
        && all(fraction, |byte| byte.is_ascii_digit())
        && exponent.is_none_or(is_exponent);
    let value = text.replace('_', "").parse();
    is_float.then(|| value.map_or(Plain::Refused, Plain::Float))
}

/// Numbers to the base 60, such as `190:20:30`, with a fraction or not.
fn sexagesimal(unsigned: &str) -> Option<Plain> {
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let first = parts.next()?;
    let is_first = first
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit())
        && (unsigned.contains('.') || !first.starts_with('0'))
        && all(first, |byte| byte.is_ascii_digit())
        && all(fraction, |byte| byte.is_ascii_digit());
    let is_part =
        |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let mut count = 0;
    let is_number = is_first
        && parts.all(|part| {
            count += 1;
            is_part(part)
        })
        && count > 0;
    is_number.then_some(Plain::Other)
}

/// Dates and times. Those that no calendar has are refused, as PyYAML cannot make a value of them.
fn timestamp(text: &str) -> Option<Plain> {
    let mut rest = text;
    let year = digits(&mut rest, 4, 4)?;
    let month = digits(after(&mut rest, "-")?, 1, 2)?;
    let day = digits(after(&mut rest, "-")?, 1, 2)?;
    let is_date_only = rest.is_empty();
    if is_date_only && text.len() != "2026-01-01".len() {
        return None;
    }
    let mut is_valid = year > 0 && (1..=12).contains(&month) && (1..=28).contains(&day)
        || is_late_day(year, month, day);
    if !is_date_only {
        let at_t = rest.strip_prefix(['T', 't']);
        rest = at_t.or_else(|| {
            let time = rest.trim_start_matches([' ', '\t']);
            (time.len() < rest.len()).then_some(time)
        })?;
        let hour = digits(&mut rest, 1, 2)?;
        let minute = digits(after(&mut rest, ":")?, 2, 2)?;
        let second = digits(after(&mut rest, ":")?, 2, 2)?;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        rest = rest.trim_start_matches([' ', '\t']);
        is_valid &= hour < 24 && minute < 60 && second < 60;
        if let Some(zone) = rest.strip_prefix(['-', '+']) {
            rest = zone;
            is_valid &= digits(&mut rest, 1, 2)? < 24;
            if !rest.is_empty() {
                is_valid &= digits(after(&mut rest, ":")?, 2, 2)? < 60;
            }
        } else {
            rest = rest.strip_prefix('Z').unwrap_or(rest);
        }
    }
    let plain = if is_valid {
        Plain::Other
    } else {
        Plain::Refused
    };
    rest.is_empty().then_some(plain)
}

fn is_late_day(year: u32, month: u32, day: u32) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    year > 0 && (29..=days).contains(&day)
}

/// Takes from `least` to `most` digits off the front.
fn digits(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let count = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    let (number, after) = rest.split_at_checked(count)?;
    *rest = after;
    if count < least {
        None
    } else {
        number.parse().ok()
    }
}

fn after<'r, 't>(rest: &'r mut &'t str, mark: &str) -> Option<&'r mut &'t str> {
    *rest = rest.strip_prefix(mark)?;
    Some(rest)
}
