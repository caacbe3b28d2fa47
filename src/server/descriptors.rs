//! The limit on open files, and how many connections it allows.
//!
//! Invariant: connections never use up the descriptors that the rest of the process needs.
//!
//! Source: getrlimit(2), `RLIMIT_NOFILE`.

use crate::limits::{DESCRIPTORS_PER_CONNECTION, DESCRIPTORS_PER_WORKER, DESCRIPTORS_RESERVED};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one. Returns the limit in force; `None` means unlimited.
pub fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// The most connections that a limit on descriptors allows beside these workers: at least one, at
/// most `wanted`.
pub fn connections_within(limit: Option<u64>, workers: usize, wanted: usize) -> usize {
    let Some(limit) = limit else {
        return wanted;
    };
    let reserved = DESCRIPTORS_RESERVED + workers as u64 * DESCRIPTORS_PER_WORKER;
    let fit = limit.saturating_sub(reserved) / DESCRIPTORS_PER_CONNECTION;
    usize::try_from(fit).map_or(wanted, |fit| fit.clamp(1, wanted))
}
