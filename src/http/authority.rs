//! The authority of a request: host and optional port.
//!
//! Invariant: a text that is accepted here may be put into the URLs of an answer; nothing else that
//! a client says about the server's address is echoed.
//!
//! Source: RFC 3986, section 3.2, without user information (RFC 9110, section 4.2.4).

use crate::limits::AUTHORITY_BYTES_MAX;
use std::net::Ipv6Addr;

/// Returns the text if it is a valid authority.
pub fn parse(value: &[u8]) -> Option<&str> {
    if value.len() > AUTHORITY_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    let port = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        port
    } else {
        let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        if name.is_empty() || !is_registered_name(name.as_bytes()) {
            return None;
        }
        port
    };
    let valid_port = match port.strip_prefix(':') {
        None => port.is_empty(),
        // RFC 3986, section 3.2.3, allows a colon without a port.
        Some(digits) => {
            let is_port = digits.is_empty() || digits.parse::<u16>().is_ok();
            is_port && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
    };
    valid_port.then_some(text)
}

/// The host of a valid authority, without its port.
pub fn host(authority: &str) -> &str {
    let name_end = authority.find(']').unwrap_or_default();
    match authority[name_end..].find(':') {
        Some(colon) => &authority[..name_end + colon],
        None => authority,
    }
}

/// Whether a name consists of unreserved characters, sub-delimiters and percent-encoded bytes.
fn is_registered_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let [byte, after @ ..] = rest {
        rest = match (byte, after) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                after
            }
            (byte, after) if byte.is_ascii_alphanumeric() => after,
            // `-._~!$&'()*+,;=`
            (b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&'..=b',' | b';' | b'=', after) => after,
            _ => return false,
        };
    }
    true
}
