//! Every property, checked with mutations of the tables.
//!
//! Each target gets 20,000 inputs, the same in every run: mutated entries of its corpus, and random bytes.

use crate::differential::PIECES;
use crate::{Random, corpus, properties};

/// Inputs for each target.
const ROUNDS: usize = 20_000;

fn smoke(corpus: &[Vec<u8>], check: fn(&[u8])) {
    for entry in corpus {
        check(entry);
    }
    let mut random = Random::new(10);
    for round in 0..ROUNDS {
        if round % 5 == 0 {
            let length = random.below(80);
            check(&random.bytes(length));
        } else {
            let entry = &corpus[random.below(corpus.len())];
            check(&random.mutate(entry, PIECES));
        }
    }
}

/// For each target its smoke.
macro_rules! targets {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            smoke(&corpus::$target(), properties::$target::check);
        })*
    };
}

targets!(head body multipart disposition fields target value config);
