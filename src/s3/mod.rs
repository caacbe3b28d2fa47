//! An S3-compatible object store: the objects of one bucket under one prefix.
//!
//! `bucket` has the operations, with `object` as what they take and give and `error` as what can go
//! wrong; `request` signs, sends and tries again; `sign` is Signature Version 4; `xml` reads lists
//! and errors; `credentials` finds keys; `probe` asks what a store really does.
//!
//! Invariants:
//! - Calls block, so only the storage's own threads make them, never a worker.
//! - Every operation has a bounded number of tries. One that may have happened although no answer
//!   arrived is tried again only where twice is the same as once; a create is not.
//! - Keys are relative to the prefix and never leave it.
//! - No credential is part of a message, a log line or a `Debug` output.
//!
//! Sources: Amazon S3 API Reference, "Signing and authenticating REST requests"; RFC 9110.

mod bucket;
mod error;
mod object;
mod probe;

pub use bucket::Bucket;
pub use error::{Result, S3Error, S3ErrorKind};
pub use object::{Condition, Content, Get, Got, Head, Object, Put, Reader};
pub use probe::Probe;
