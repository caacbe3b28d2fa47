//! Every property, checked with mutations of the tables: the short form of `scripts/fuzz.sh`.
//!
//! Each target gets 20,000 inputs, the same in every run: mutated entries of its corpus, and random bytes.

use crate::differential::PIECES;
use crate::{Random, corpus, properties};
use std::collections::BTreeSet;

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

/// For each target its smoke, and an entry in [`TARGETS`].
macro_rules! targets {
    ($($target:ident)*) => {
        /// The fuzz targets, with the corpus that each begins with.
        pub const TARGETS: &[(&str, fn() -> Vec<Vec<u8>>)] =
            &[$((stringify!($target), corpus::$target)),*];

        $(#[test]
        fn $target() {
            smoke(&corpus::$target(), properties::$target::check);
        })*
    };
}

targets!(head body multipart disposition fields target value config archive yaml);

#[test]
fn every_fuzz_target_has_its_smoke() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/fuzz_targets");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the fuzz targets")
        .map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    let targets = TARGETS
        .iter()
        .map(|(name, _)| format!("{name}.rs"))
        .collect();
    assert_eq!(files, targets);
}
