//! The clients' counters: requests by kind, bytes, and faults.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// The number of faults kept in full; more would not help.
const FAULTS_KEPT_MAX: usize = 20;

#[derive(Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    lines: BTreeMap<&'static str, Line>,
    outcomes: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
}

#[derive(Default, Clone, Copy)]
struct Line {
    requests: u64,
    errors: u64,
    bytes: u64,
}

impl Tally {
    /// Runs one action of a kind. It returns the number of content bytes; a panic counts as an
    /// error of its kind, and the client continues.
    pub fn attempt(&self, kind: &'static str, does: impl FnOnce() -> usize) {
        let outcome = catch_unwind(AssertUnwindSafe(does));
        let mut counts = self.0.lock().unwrap();
        let line = counts.lines.entry(kind).or_default();
        line.requests += 1;
        match outcome {
            Ok(bytes) => line.bytes += bytes as u64,
            Err(panic) => {
                line.errors += 1;
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                if counts.faults.len() < FAULTS_KEPT_MAX {
                    counts
                        .faults
                        .push(format!("{kind}: {}", text.unwrap_or_default()));
                }
            }
        }
    }

    /// Counts a result.
    pub fn outcome(&self, outcome: &'static str, times: usize) {
        let mut counts = self.0.lock().unwrap();
        *counts.outcomes.entry(outcome).or_default() += times as u64;
    }

    /// Prints a line for each kind, their sum, and the results.
    pub fn print(&self) {
        let counts = self.0.lock().unwrap();
        println!("{:<34} {:>10} {:>7} {:>10}", "", "number", "errors", "MB");
        let mut sum = Line::default();
        for (kind, line) in &counts.lines {
            line.print(kind);
            sum.requests += line.requests;
            sum.errors += line.errors;
            sum.bytes += line.bytes;
        }
        sum.print("all");
        for (outcome, times) in &counts.outcomes {
            println!("  {outcome:<32} {times:>10}");
        }
    }

    /// Asserts that there was no fault.
    pub fn assert_no_errors(&self) {
        let counts = self.0.lock().unwrap();
        assert!(counts.faults.is_empty(), "{}", counts.faults.join("\n\n"));
    }
}

impl Line {
    fn print(&self, kind: &str) {
        let megabytes = self.bytes / 1_000_000;
        println!(
            "{kind:<34} {:>10} {:>7} {megabytes:>10}",
            self.requests, self.errors
        );
    }
}
