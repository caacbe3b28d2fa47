//! The memory limit of the server's container, and what it leaves to clients.
//!
//! Under version 2 of cgroups, the kernel counts socket buffers against the limit, and without a
//! bound it takes up to megabytes of each answer that its client does not read. So where there is a
//! limit, connections share a part of it: the more are open, the less unsent data each socket
//! takes. Data on its way is not bounded, so a fast client over a long distance loses nothing.
//! Version 1 does not count socket buffers; its limits are not looked at.
//!
//! Sources: cgroups(7); the kernel's documentation of cgroup v2 (`memory.max`, and `sock` in
//! `memory.stat`); tcp(7), `TCP_NOTSENT_LOWAT`.

use crate::limits::{PARKED_BYTES_MAX, PARKED_MEMORY_SHARE, UNSENT_MEMORY_SHARE};
use std::fs;
use std::path::Path;

const CGROUPS: &str = "/sys/fs/cgroup";

/// In bytes; `None` where nothing limits the memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimit(Option<usize>);

impl MemoryLimit {
    /// The limit of this process now.
    pub fn system() -> Self {
        let cgroup = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::within(Path::new(CGROUPS), &cgroup)
    }

    pub fn of(bytes: Option<usize>) -> Self {
        Self(bytes)
    }

    /// The least limit of a process's cgroup and of those around it. `cgroup` is the content of its
    /// `/proc/self/cgroup`.
    pub fn within(root: &Path, cgroup: &str) -> Self {
        // Each other line is a hierarchy of version 1.
        let path = cgroup.lines().find_map(|line| line.strip_prefix("0::/"));
        // In a container, the root is often its own cgroup, whatever its path is.
        let limits = path
            .into_iter()
            .flat_map(|path| Path::new(path).ancestors());
        let limits = limits
            .filter_map(|path| fs::read_to_string(root.join(path).join("memory.max")).ok())
            .filter_map(|limit| limit.trim().parse().ok());
        Self(limits.min())
    }

    pub fn bytes(self) -> Option<usize> {
        self.0
    }

    /// What the socket of one of so many connections may hold unsent, where that is bounded.
    pub fn unsent_share_bytes(self, connections: usize) -> Option<usize> {
        Some(self.0? / UNSENT_MEMORY_SHARE / connections.max(1))
    }

    /// What all parked connections together may hold above their reserve.
    pub fn parked_bytes_max(self) -> usize {
        self.0.map_or(PARKED_BYTES_MAX, |bytes| {
            PARKED_BYTES_MAX.min(bytes / PARKED_MEMORY_SHARE)
        })
    }
}
