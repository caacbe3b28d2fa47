//! The output of the command `verify`: a line for each package that differs, a summary, and
//! progress.
//!
//! Invariants: standard output has only the lines and the summary. Progress goes to standard error,
//! and only to a terminal. A name in a line holds no control characters.

use crate::clock::Clock;
use crate::config::BucketSettings;
use crate::limits::MIB;
use crate::storage::engines;
use crate::storage::verification::{Event, Progress};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Returns to the line's beginning and clears the line.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Checks the packages in the bucket, or else in the directory at `path`; returns whether all are
/// right in the end.
pub fn run(path: &Path, bucket: Option<BucketSettings>, repair: bool) -> Result<bool, String> {
    let (mut output, mut terminal) = (std::io::stdout(), std::io::stderr());
    let clock = Clock::system();
    let mut show_at = terminal.is_terminal().then(|| clock.now());
    let summary = engines::verify(path, bucket, repair, &mut |event, progress| match event {
        Event::Read => {
            if let Some(at) = &mut show_at
                && *at <= clock.now()
            {
                *at = clock.now() + PROGRESS_INTERVAL;
                put(
                    &mut terminal,
                    &format!("{CLEAR_LINE}{}", progress_line(progress)),
                );
            }
        }
        Event::Unlisted(name, unlisted) => {
            if show_at.is_some() {
                put(&mut terminal, CLEAR_LINE);
            }
            let (why, reason) = (&unlisted.message, unlisted.reason.name());
            put(
                &mut output,
                &format!("{name}: not in the catalogs: {why} ({reason})\n"),
            );
        }
        Event::Found(name, finding) => {
            if show_at.is_some() {
                put(&mut terminal, CLEAR_LINE);
            }
            put(&mut output, &format!("{name}: {finding}\n"));
        }
    });
    if show_at.is_some() {
        put(&mut terminal, CLEAR_LINE);
    }
    let summary = summary?;
    let line = format!(
        "packages: {}, bytes: {}, wrong: {}, repaired: {}\n",
        summary.packages, summary.bytes, summary.wrong, summary.repaired
    );
    put(&mut output, &line);
    Ok(summary.wrong == 0)
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
