//! The text of a token that `release-server token new` makes: `rs_`, 30 random characters, and a
//! checksum of 6, all letters and digits.
//!
//! The prefix and the checksum let a scanner recognise a token in a text without asking a server,
//! and let the server tell a mistyped token from a wrong one.
//!
//! Invariant: the random part holds 178 bits of the system's randomness, each character equally
//! likely.

use crate::config::token;
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

const PREFIX: &str = "rs_";
const RANDOM_CHARACTERS: usize = 30;
/// Enough for 32 bits.
const CHECKSUM_CHARACTERS: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new token.
pub fn generate() -> Result<String, Errno> {
    let mut text = PREFIX.to_owned();
    let mut bytes = [0; 2 * RANDOM_CHARACTERS];
    while text.len() < PREFIX.len() + RANDOM_CHARACTERS {
        // Up to 256 bytes arrive whole: getrandom(2).
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        // The last 8 values of a byte would make the first characters likelier.
        let even = bytes.iter().map(|byte| usize::from(*byte));
        let even = even.filter(|byte| *byte < 256 / ALPHABET.len() * ALPHABET.len());
        let missing = PREFIX.len() + RANDOM_CHARACTERS - text.len();
        let characters = even.map(|byte| char::from(ALPHABET[byte % ALPHABET.len()]));
        text.extend(characters.take(missing));
    }
    let checksum = checksum(&text);
    Ok(text + &checksum)
}

/// Whether a text has the form of a token but not its checksum, so that it was mistyped or cut off.
pub fn is_mistyped(text: &[u8]) -> bool {
    if !text.starts_with(PREFIX.as_bytes()) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return true;
    };
    let end = PREFIX.len() + RANDOM_CHARACTERS;
    match text.split_at_checked(end) {
        Some((begin, given)) => given != checksum(begin),
        None => true,
    }
}

/// The first 32 bits of the hash, as digits of base 62.
fn checksum(text: &str) -> String {
    let hash = token::hash(text.as_bytes());
    let mut rest = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) as usize;
    let mut digits = [0; CHECKSUM_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % ALPHABET.len()];
        rest /= ALPHABET.len();
    }
    digits.map(char::from).iter().collect()
}
