//! What a store really does, which its answers alone do not say: some accept a condition, answer
//! with success, and ignore it.

use super::bucket::Bucket;
use super::error::{Result, S3ErrorKind};
use super::object::{Condition, Content, Put};
use crate::limits::bucket::PROBE_CREATES;
use std::hash::{BuildHasher, RandomState};
use std::sync::Barrier;

/// What the probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Of several simultaneous creates of one key exactly one succeeds.
    pub creates_are_atomic: bool,
    /// A delete with another ETag than the object's is refused.
    pub deletes_are_conditional: bool,
}

/// Said where the settings need atomic creates and the store has none.
pub const NOT_ATOMIC: &str = "the store lets several requests create one object, so two publishers \
                              of one name could both succeed; set BUCKET_CREATE=check, and let one \
                              server alone publish";

/// An ETag that no object has.
const OTHER_ETAG: &str = "\"00000000000000000000000000000000\"";

impl Probe {
    /// Creates and deletes one object under the prefix. An error where the store cannot be used at
    /// all: it is not reached, or the credentials may not create or delete.
    pub fn run(bucket: &Bucket) -> Result<Self> {
        let random = RandomState::new().hash_one(0);
        let key = format!(".release-server/probe/{random:016x}");
        let barrier = Barrier::new(PROBE_CREATES);
        let create = || {
            barrier.wait();
            let content = b"a probe of release-server; it can be deleted";
            let put = Put {
                content: Content::Bytes(content),
                condition: Condition::IsNew,
                metadata: &[],
            };
            bucket.put(&key, &put)
        };
        let results = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..PROBE_CREATES).map(|_| scope.spawn(create)).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().ok();
            threads.into_iter().filter_map(join).collect::<Vec<_>>()
        });
        let winners = results.iter().filter(|result| result.is_ok()).count();
        let errors = results
            .into_iter()
            .filter_map(|result: Result<_>| result.err());
        for error in errors {
            match error.kind {
                S3ErrorKind::PreconditionFailed | S3ErrorKind::Conflict => {}
                // 501: the store knows no condition.
                S3ErrorKind::Invalid if winners == 0 => {}
                _ => return Err(error),
            }
        }
        let refused = match bucket.delete(&key, Some(OTHER_ETAG)) {
            Ok(()) => false,
            Err(error) if error.kind == S3ErrorKind::PreconditionFailed => true,
            Err(error) if error.kind == S3ErrorKind::Invalid => false,
            Err(error) => return Err(error),
        };
        bucket.delete(&key, None)?;
        Ok(Self {
            creates_are_atomic: winners == 1,
            deletes_are_conditional: refused,
        })
    }
}
