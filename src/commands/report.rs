//! The output of commands that go through all packages: a line for each finding, and progress.
//!
//! Invariants: standard output has only the lines and the summary. Progress goes to standard error,
//! and only to a terminal. A name in a line holds no control characters.

use crate::clock::Clock;
use crate::limits::MIB;
use crate::storage::verification::{Event, Progress};
use std::io::{IsTerminal, Stderr, Stdout, Write};
use std::time::{Duration, Instant};

const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Returns to the line's beginning and clears the line.
const CLEAR_LINE: &str = "\r\x1b[K";

pub struct Report {
    output: Stdout,
    terminal: Stderr,
    clock: Clock,
    /// When to show the progress next; `None` where there is no terminal.
    show_at: Option<Instant>,
}

impl Report {
    pub fn new() -> Self {
        let (terminal, clock) = (std::io::stderr(), Clock::system());
        Self {
            output: std::io::stdout(),
            show_at: terminal.is_terminal().then(|| clock.now()),
            terminal,
            clock,
        }
    }

    pub fn take(&mut self, event: &Event<'_>, progress: &Progress) {
        match event {
            Event::Read => self.show(progress),
            Event::Unlisted(name, unlisted) => {
                let (why, reason) = (&unlisted.message, unlisted.reason.name());
                self.line(&format!("{name}: not in the catalogs: {why} ({reason})"));
            }
            Event::Found(name, finding) => self.line(&format!("{name}: {finding}")),
        }
    }

    fn show(&mut self, progress: &Progress) {
        if let Some(at) = &mut self.show_at
            && *at <= self.clock.now()
        {
            *at = self.clock.now() + PROGRESS_INTERVAL;
            let line = format!("{CLEAR_LINE}{}", progress_line(progress));
            put(&mut self.terminal, &line);
        }
    }

    /// Writes a line of the result.
    pub fn line(&mut self, line: &str) {
        self.clear();
        put(&mut self.output, &format!("{line}\n"));
    }

    /// Clears the progress.
    pub fn clear(&mut self) {
        if self.show_at.is_some() {
            put(&mut self.terminal, CLEAR_LINE);
        }
    }
}

/// A closed output is not a reason to stop: the exit code still counts.
fn put(output: &mut dyn Write, text: &str) {
    let _ = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

fn progress_line(progress: &Progress) -> String {
    let mib = |bytes: u64| bytes / MIB as u64;
    format!(
        "{} of {} packages, {} of {} MiB",
        progress.packages,
        progress.packages_total,
        mib(progress.bytes),
        mib(progress.bytes_total)
    )
}
