//! The handlers, one module for each endpoint: from a request to a response or a sink.
//!
//! Invariant: a handler checks everything in the head before it asks for the body.

pub mod contract;
pub mod delete;
pub mod download;
pub mod latest;
pub mod lookup;
pub mod packages;
pub mod probes;
pub mod publish;
pub mod release_writes;
pub mod releases;
pub mod website;
