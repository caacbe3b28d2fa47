//! An S3-compatible object store: the objects of one bucket under one prefix.
//!
//! `bucket` has the operations, with `object` as what they take and give and `error` as what can go
//! wrong; `request` signs, sends and tries again, and `answer` reads refusals; `sign` is Signature
//! Version 4, `endpoint` the hosts and paths; `list` reads pages and `xml` documents;
//! `credentials` finds keys; `probe` asks what a store really does.
//!
//! Invariants:
//! - Calls block, so only the storage's own threads make them, never a worker.
//! - Every operation has a bounded number of tries.
//! - Keys are relative to the prefix and never leave it.
//! - No credential is part of a message, a log line or a `Debug` output.
//!
//! Sources: Amazon S3 API Reference, "Signing and authenticating REST requests"; RFC 9110.

mod answer;
mod bucket;
pub mod credentials;
mod endpoint;
mod error;
pub mod list;
mod object;
mod probe;
mod request;
pub mod sign;
pub mod xml;

pub use bucket::Bucket;
pub use error::{Result, S3Error, S3ErrorKind};
pub use object::{Condition, Content, Get, Got, Head, Object, Put, Reader};
pub use probe::{NOT_ATOMIC, Probe};
