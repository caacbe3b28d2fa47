//! Values with parameters: `form-data; name="file"; filename="a;b.zip"`.
//!
//! Invariants: quoted strings may hold any separator; a backslash in them escapes only a quote or a
//! backslash, because clients that send Windows paths do not escape theirs; a repeated parameter is
//! refused, since two readers would take different ones.
//!
//! Sources: RFC 9110, sections 5.6.4 (quoted strings) and 5.6.6 (parameters); RFC 7578, section
//! 4.2.

use crate::http::fields::is_token_byte;

/// A value and its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameterised {
    /// The text before the first `;`, in lower case.
    pub value: String,
    /// Names in lower case, values without their quotes.
    parameters: Vec<(String, Vec<u8>)>,
}

/// The text is not a value with parameters, or repeats one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl Parameterised {
    /// Parses a whole field value.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let mut rest = text;
        let end = rest.iter().position(|b| *b == b';').unwrap_or(rest.len());
        let value = take(&mut rest, end).trim_ascii();
        if value.is_empty() || !value.iter().all(|b| is_token_byte(*b) || *b == b'/') {
            return Err(Malformed);
        }
        let mut parameters: Vec<(String, Vec<u8>)> = Vec::new();
        loop {
            rest = rest.trim_ascii_start();
            let Some(after) = rest.strip_prefix(b";") else {
                break;
            };
            rest = after.trim_ascii_start();
            // RFC 9110 allows empty parameters: `a; ; b=c` and a trailing `;`.
            if rest.is_empty() || rest.starts_with(b";") {
                continue;
            }
            let (name, value) = parameter(&mut rest)?;
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(Malformed);
            }
            parameters.push((name, value));
        }
        if !rest.is_empty() {
            return Err(Malformed);
        }
        Ok(Self {
            value: String::from_utf8_lossy(value).to_ascii_lowercase(),
            parameters,
        })
    }

    /// The value of a parameter; `name` in lower case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, after) = rest.split_at(length);
    *rest = after;
    taken
}

fn token<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = rest
        .iter()
        .position(|b| !is_token_byte(*b))
        .unwrap_or(rest.len());
    match length {
        0 => Err(Malformed),
        length => Ok(take(rest, length)),
    }
}

fn parameter(rest: &mut &[u8]) -> Result<(String, Vec<u8>), Malformed> {
    let name = String::from_utf8_lossy(token(rest)?).to_ascii_lowercase();
    *rest = rest.strip_prefix(b"=").ok_or(Malformed)?;
    let value = match rest.strip_prefix(b"\"") {
        Some(quoted) => {
            *rest = quoted;
            quoted_string(rest)?
        }
        None => token(rest)?.to_vec(),
    };
    Ok((name, value))
}

/// The text up to the closing quote, which is taken too.
fn quoted_string(rest: &mut &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut value = Vec::new();
    loop {
        match **rest {
            [b'\\', escaped @ (b'"' | b'\\'), ref after @ ..] => {
                value.push(escaped);
                *rest = after;
            }
            [b'"', ref after @ ..] => {
                *rest = after;
                return Ok(value);
            }
            [byte, ref after @ ..] => {
                value.push(byte);
                *rest = after;
            }
            [] => return Err(Malformed),
        }
    }
}
