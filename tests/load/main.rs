//! Load on the real binary: many concurrent clients for a given time, each received byte checked.
//!
//! The suite's short run and the long run of `scripts/soak.sh` share these tests: [`Length`] comes
//! from the environment. A client counts a fault and continues, so that a long run reports all of
//! them; the test fails at its end.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments as they like"
)]

mod client;
mod fetch;
mod hostile;
mod killed;
mod publishers;
mod readers;
mod rivals;
mod shared;
mod soak;
mod stalled;
mod stopped;
#[expect(dead_code, reason = "the black-box tests need more of it")]
#[path = "../support/mod.rs"]
mod support;
mod tally;
mod traffic;
mod version;

use std::time::{Duration, Instant};

/// The duration of the load.
#[derive(Clone, Copy)]
struct Length {
    time: Duration,
    /// Whether a duration was given: then sizes and counts are the full ones, else those of the
    /// quick suite.
    long: bool,
}

impl Length {
    /// From `LOAD_SECONDS`; a few seconds by default.
    fn from_environment() -> Self {
        let asked = std::env::var("LOAD_SECONDS").ok().map(|text| {
            text.parse().unwrap_or_else(|_| {
                panic!("LOAD_SECONDS is '{text}'; it takes a number of seconds")
            })
        });
        Self {
            time: Duration::from_secs(asked.unwrap_or(3)),
            long: asked.is_some(),
        }
    }

    /// The count for the long run or for the short run.
    fn choose(self, long: usize, short: usize) -> usize {
        if self.long { long } else { short }
    }
}

/// The end of a phase for its clients.
#[derive(Clone, Copy)]
struct End(Instant);

impl End {
    fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    fn is_reached(self) -> bool {
        Instant::now() >= self.0
    }

    /// Pauses, at most until the end.
    fn idle(self, time: Duration) {
        std::thread::sleep(time.min(self.0.saturating_duration_since(Instant::now())));
    }
}

/// Pseudo-random numbers, equal for equal seeds (Steele, Lea and Flood's `SplitMix64`).
struct Random(u64);

impl Random {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number under `limit`, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit as u64).expect("smaller than a usize")
    }

    /// True with a probability of one in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn milliseconds_below(&mut self, limit: usize) -> Duration {
        Duration::from_millis(self.below(limit) as u64)
    }
}
