//! Identity tokens and their issuers' keys: a token is taken apart at its two dots, a key or an
//! extension that it brings refuses it, and its claims are those that another reader finds.
//!
//! Sources: RFC 7515, sections 3.1, 4.1 and 7.1; RFC 7517.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use release_server::tokens::oidc::compact::Unverified;
use release_server::tokens::oidc::keys::{Algorithm, KeySet};
use serde_json::Value;

/// Every property of tokens and key sets. The input is a token, a key set, and a line with the
/// header of a token before its claims.
pub fn check(input: &[u8]) {
    check_token(input);
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let encoded = |part: Option<&[u8]>| URL_SAFE_NO_PAD.encode(part.unwrap_or_default());
    let (header, claims) = (encoded(parts.next()), encoded(parts.next()));
    check_token(format!("{header}.{claims}.c2ln").as_bytes());
    if let Ok(keys) = KeySet::read(input) {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            if let Some(key) = keys.find(None, algorithm) {
                assert!(!key.is_signature(b"a message", &input[..input.len().min(64)]));
            }
        }
    }
}

fn check_token(token: &[u8]) {
    let Ok(unverified) = Unverified::parse(token) else {
        return;
    };
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("{} parts", parts.len());
    };
    assert_eq!(unverified.signed, [header, b".", claims].concat());
    assert_eq!(
        URL_SAFE_NO_PAD.encode(&unverified.signature).as_bytes(),
        signature
    );
    let json = |part: &[u8]| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<Value>(&bytes)
    };
    // What the server skips may have escapes that are no text, which this reader refuses.
    let (Ok(header), Ok(claims)) = (json(header), json(claims)) else {
        return;
    };
    let name = match unverified.algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
    };
    assert_eq!(header["alg"], name);
    for forbidden in ["jku", "jwk", "x5u", "x5c", "crit", "enc", "zip"] {
        assert!(header[forbidden].is_null(), "{header}");
    }
    for name in ["iss", "sub", "aud", "ref"] {
        assert_eq!(
            unverified.claims.text(name),
            claims[name].as_str(),
            "{claims}"
        );
    }
    let _ = unverified.claims.time("exp");
}
