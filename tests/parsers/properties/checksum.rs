//! Checksums as sidecars hold them: 64 hexadecimal digits, read back the same, and nothing else.
//!
//! Source: docs/contract.md, section 4.

use release_server::checksum::{Sha256, hex};

/// Every property of checksums. The input is a sidecar's text, and bytes to write as digits.
pub fn check(input: &[u8]) {
    let text = input.trim_ascii();
    let is_hex = text.len() == 64 && text.iter().all(u8::is_ascii_hexdigit);
    let read = Sha256::from_hex(text);
    assert_eq!(read.is_some(), is_hex, "{}", input.escape_ascii());
    if let Some(sha256) = read {
        let lower = text.to_ascii_lowercase();
        assert_eq!(sha256.hex().as_bytes(), lower, "{}", input.escape_ascii());
        assert_eq!(hex(sha256.as_bytes()).as_bytes(), lower);
        assert_eq!(Sha256::from_hex(&lower), read);
    }
    let digits = hex(input);
    assert_eq!(digits.len(), 2 * input.len());
    let value = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16);
    for (at, byte) in input.iter().enumerate() {
        assert_eq!(value(at), Ok(*byte), "{digits}");
    }
}
