//! Request ids: one taken over from the client, or one made here.

use crate::checksum;
use crate::limits::REQUEST_ID_BYTES_MAX;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes ids that are unique in this process, and practically unique among processes.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl Default for RequestIds {
    fn default() -> Self {
        Self(AtomicU64::new(RandomState::new().hash_one(0)))
    }
}

impl RequestIds {
    pub fn next(&self) -> String {
        let id = self.0.fetch_add(1, Ordering::Relaxed);
        checksum::hex(&id.to_be_bytes())
    }
}

/// Whether a client's id is safe to repeat in a header and in a log line.
pub fn is_request_id(id: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}
