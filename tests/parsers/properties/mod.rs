//! Properties of all input, written once: the suite's seeded smoke and the fuzz targets check the
//! same.
//!
//! Each parser's module has `check(input)`, which panics if a property does not hold. The result
//! for a given input is in the tables beside this folder.
//!
//! Invariants: `fuzz/` compiles this folder on its own, so it uses nothing else of the suite; the
//! same input is always checked the same way, so random choices here are seeded with the input.

pub mod archive;
pub mod body;
pub mod checksum;
pub mod config;
pub mod disposition;
pub mod dns;
pub mod fields;
pub mod head;
pub mod identity;
pub mod listing;
pub mod log_line;
pub mod multipart;
pub mod name;
pub mod page;
pub mod pattern;
pub mod random;
pub mod release;
pub mod response;
pub mod second_reader;
pub mod target;
pub mod tokens;
pub mod value;
pub mod version;
pub mod xml;
pub mod yaml;

use random::Random;

/// Ways in which the network may cut the input: byte by byte, and twice into up to eight pieces;
/// some are empty.
fn cuts(input: &[u8]) -> [Vec<&[u8]>; 3] {
    let mut random = Random::of(input);
    let mut pieces = || {
        let (mut pieces, mut rest) = (Vec::new(), input);
        for _ in 0..random.below(8) {
            let (piece, after) = rest.split_at(random.below(rest.len() + 1));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        pieces
    };
    let empty = &input[..0];
    [input.chunks(1).chain([empty]).collect(), pieces(), pieces()]
}
