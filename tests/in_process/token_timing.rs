//! Looking up a token takes the same path however much of a hash matches.
//!
//! `TOKEN_MATCHING_BYTES=K valgrind --tool=callgrind target/debug/deps/in_process-… token_timing`
//! counts the instructions of 10,000 wrong tokens whose hash has K bytes in common with an entry's:
//! the counts are equal for all K.

use release_server::checksum::Sha256;
use release_server::clock::{Clock, wall_now};
use release_server::config::token::{TokenSettings, hash};
use release_server::metrics::Metrics;
use release_server::tokens::{Denied, Tokens};
use std::fmt::Write as _;
use std::sync::Arc;

const WRONG: &[u8] = b"rs_a-wrong-token";
const REPETITIONS: usize = 10_000;

/// Tokens with 50 entries, of which one has a hash that begins like that of the wrong token.
fn tokens(matching_bytes: usize) -> (Tokens, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut text = "tokens:\n".to_owned();
    for number in 0..50u8 {
        let mut entry = hash(&[number]);
        if number == 25 {
            entry = hash(WRONG).map(|byte| !byte);
            entry[..matching_bytes].copy_from_slice(&hash(WRONG)[..matching_bytes]);
        }
        let digits = Sha256::new(entry).hex();
        writeln!(
            text,
            "- {{name: t{number}, sha256: {digits}, may: [publish]}}"
        )
        .unwrap();
    }
    std::fs::write(file.path(), text).unwrap();
    let settings = TokenSettings {
        shared: None,
        files: vec![file.path().to_owned()],
        issuers_ca_file: None,
    };
    let tokens = Tokens::open(settings, Clock::system(), Arc::new(Metrics::new([])));
    (tokens.unwrap(), file)
}

#[test]
fn a_token_that_matches_in_part_is_wrong() {
    let only: Option<usize> = std::env::var("TOKEN_MATCHING_BYTES")
        .ok()
        .map(|text| text.parse().unwrap());
    let repetitions = only.map_or(1, |_| REPETITIONS);
    for matching_bytes in 0..32 {
        if only.is_some_and(|only| only != matching_bytes) {
            continue;
        }
        let (tokens, _file) = tokens(matching_bytes);
        let now = wall_now();
        for _ in 0..repetitions {
            let found = tokens.find(WRONG, now);
            assert!(matches!(found, Err(Denied::Mistyped)), "{matching_bytes}");
        }
    }
}
