//! Limits of the work of one turn, so that other connections get theirs, and the workers' memory.

use super::{KIB, MIB};
use std::time::Duration;

/// The stack of each worker: 1,024 of them, with their buffers, fit a 32-bit process.
pub const WORKER_STACK_BYTES: usize = 512 * KIB;
/// The buffer that each worker receives into.
pub const RECEIVE_BUFFER_BYTES: usize = 256 * KIB;
/// Bytes of a body received in one turn.
pub const RECEIVE_TURN_BYTES: usize = 4 * MIB;
/// Bytes of a file sent in one turn.
pub const SEND_TURN_BYTES: usize = MIB;
/// The same over TLS, where sealing costs several times what sendfile does: a handshake waits for
/// the turns of all connections before it.
pub const SEAL_TURN_BYTES: usize = 512 * KIB;
/// Events that a worker takes from the poller in one call.
pub const EVENTS_PER_WAIT_MAX: usize = 8;
/// Pipelined requests answered in one turn.
pub const REQUESTS_PER_TURN_MAX: usize = 32;
/// How often a connection that waits for another thread looks again by itself.
pub const WAITING_RECHECK_INTERVAL: Duration = Duration::from_millis(500);
/// A body up to this size is copied after its head, and both are sent in one write.
pub const COALESCE_BYTES_MAX: usize = 16 * KIB;
