//! Content to publish, the form around it, and its checksum.

use release_server::checksum::Sha256;
use sha2::Digest;

/// The header for bodies made by [`form`].
pub const FORM_TYPE: &str = "Content-Type: multipart/form-data; boundary=BOUNDARY\r\n";

/// A form with one file.
pub fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--BOUNDARY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n--BOUNDARY--\r\n"].concat()
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn hex(content: &[u8]) -> String {
    Sha256::new(sha2::Sha256::digest(content)).hex()
}

/// Bytes that compress badly and differ by seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
