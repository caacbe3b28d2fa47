//! The usual metrics of a process, from `/proc`; a value that cannot be read is left out.
//!
//! Sources: Prometheus, "Writing client libraries", "Process metrics"; proc(5).

use rustix::process::{Resource, getrlimit};
use std::fs;

/// Ticks of `/proc/self/stat` in a second: a constant of the kernel's interface on all machines
/// that this program is built for.
const TICKS_PER_SECOND: f64 = 100.0;

/// A metric's name, type and help, and its value.
pub type Sample = (&'static str, &'static str, &'static str, f64);

/// The metrics of this process; `started` is its start in seconds since 1970.
pub fn samples(started: f64) -> Vec<Sample> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |name: &str| Some(number_after(&status, name)? * 1024.0);
    let open = fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
    // The listing is read through a descriptor of its own.
    let open = open.map(|open| count(open.saturating_sub(1)));
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let samples = [
        (
            "process_cpu_seconds_total",
            "counter",
            "CPU time of the process, in user space and in the kernel.",
            cpu_seconds(),
        ),
        ("process_open_fds", "gauge", "Open file descriptors.", open),
        (
            "process_max_fds",
            "gauge",
            "The limit on open file descriptors.",
            limit.map(count),
        ),
        (
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory.",
            bytes("VmRSS:"),
        ),
        (
            "process_virtual_memory_bytes",
            "gauge",
            "Virtual memory.",
            bytes("VmSize:"),
        ),
        (
            "process_threads",
            "gauge",
            "Threads.",
            number_after(&status, "Threads:"),
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "The start of the process, in seconds since 1970.",
            Some(started),
        ),
    ];
    let known =
        |(name, kind, help, value): (_, _, _, Option<f64>)| Some((name, kind, help, value?));
    samples.into_iter().filter_map(known).collect()
}

/// The number in the line that begins with a name.
fn number_after(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the command, in parentheses, may hold blanks; the 14th and 15th fields follow.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut ticks = fields.split(' ').skip(11).map(str::parse::<f64>);
    Some((ticks.next()?.ok()? + ticks.next()?.ok()?) / TICKS_PER_SECOND)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "descriptors are far fewer than 2^52"
)]
fn count(number: usize) -> f64 {
    number as f64
}
