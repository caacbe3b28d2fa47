//! Every property, checked with mutations of the tables: the short form of `scripts/fuzz.sh`.
//!
//! Each target gets mutated entries of its corpus, and random bytes. The seed is new in every run
//! and is printed; `SMOKE_SEED=NUMBER` repeats a run.

use crate::differential::PIECES;
use crate::{Random, corpus, properties};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::LazyLock;

/// Inputs for a target of a parser.
const PARSED: usize = 20_000;
/// Inputs for a target that renders whole answers, which takes longer.
const RENDERED: usize = 1_000;

/// The seed of this run. Tests print to a buffer that only failures show; the seed goes around it.
static SEED: LazyLock<u64> = LazyLock::new(|| {
    #[expect(
        clippy::disallowed_methods,
        reason = "a setting of the test, not of the server"
    )]
    let given = std::env::var("SMOKE_SEED").ok();
    let seed = match given {
        Some(given) => given.parse().expect("SMOKE_SEED takes a number"),
        None => RandomState::new().hash_one(0),
    };
    let _ = writeln!(std::io::stderr(), "smoke: SMOKE_SEED={seed}");
    seed
});

fn smoke(rounds: usize, corpus: &[Vec<u8>], check: fn(&[u8])) {
    for entry in corpus {
        check(entry);
    }
    let mut random = Random::new(*SEED);
    for round in 0..rounds {
        if round % 5 == 0 {
            let length = random.below(80);
            check(&random.bytes(length));
        } else {
            let entry = &corpus[random.below(corpus.len())];
            check(&random.mutate(entry, PIECES));
        }
    }
}

/// For each target its smoke test, and an entry in [`TARGETS`].
macro_rules! targets {
    ($($rounds:ident: $($target:ident)*;)*) => {
        /// The fuzz targets, with their initial corpora.
        pub const TARGETS: &[(&str, fn() -> Vec<Vec<u8>>)] =
            &[$($((stringify!($target), corpus::$target)),*),*];

        $($(#[test]
        fn $target() {
            smoke($rounds, &corpus::$target(), properties::$target::check);
        })*)*
    };
}

targets! {
    PARSED: head body multipart disposition fields target value config pattern version response
        checksum log_line archive yaml dns xml tokens identity;
    RENDERED: release page;
}

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
