//! A simulation of the server: many clients that split, pipeline, stall, leave and return, against
//! the state machine of connections in this process, and a model of what each client must see.
//!
//! The clock is moved by hand, the sockets are of the Unix domain (what is sent has arrived), and
//! workers get their turns one at a time in an order that the seed decides, so that a failing seed
//! fails again: `SIMULATION_SEED=NUMBER cargo test --test simulation`. `scripts/simulate.sh`
//! runs it at length. What follows a panic, and every point at which a handler is called, is part
//! of it; TLS and the application are not.

#![expect(
    clippy::disallowed_methods,
    reason = "a test reads its own settings and the time that it may take"
)]

mod answer_head;
mod application;
mod client;
mod plan;
#[expect(dead_code, reason = "the parsers' tests need more of it")]
#[path = "../parsers/properties/random.rs"]
mod random;
mod request;
mod run;
mod schedule;

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::time::{Duration, Instant};

/// Runs in the suite, of some 20 connections each.
const RUNS: u64 = 400;

fn setting(name: &str) -> Option<u64> {
    let given = std::env::var(name).ok()?;
    Some(
        given
            .parse()
            .unwrap_or_else(|_| panic!("{name} takes a number")),
    )
}

fn report(text: &str) {
    // Tests print to a buffer that only failures show; this goes around it.
    let _ = writeln!(std::io::stderr(), "simulation: {text}");
}

fn check(seed: u64) -> u64 {
    match run::run(seed) {
        Ok(connections) => connections,
        Err(failure) => panic!("SIMULATION_SEED={seed}: {failure}"),
    }
}

#[test]
fn every_client_sees_what_the_model_says() {
    if let Some(seed) = setting("SIMULATION_SEED") {
        check(seed);
        return;
    }
    let first = RandomState::new().hash_one(0) >> 16;
    let seconds = setting("SIMULATION_SECONDS").map(Duration::from_secs);
    report(&format!("from SIMULATION_SEED={first}"));
    let began = Instant::now();
    let (mut runs, mut connections) = (0, 0);
    while seconds.map_or(runs < RUNS, |seconds| began.elapsed() < seconds) {
        connections += check(first + runs);
        runs += 1;
    }
    let rate = connections * 1000 / u64::try_from(began.elapsed().as_millis().max(1)).unwrap();
    report(&format!(
        "{runs} runs, {connections} connections, {rate} a second"
    ));
}

/// An interim answer for which the socket has no room is sent when there is room.
#[test]
fn an_interim_answer_waits_for_room() {
    // Around the room that a socket has, which answers of one of these lengths leave too small.
    let checked = run::interim_answers((100_000..300_000).step_by(500));
    assert_eq!(checked, Ok(()));
}
