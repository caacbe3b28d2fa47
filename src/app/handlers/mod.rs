//! One module an endpoint: from a request to a response or a sink.
//!
//! Invariant: a handler checks everything that the head can tell before it asks for the body.

pub mod contract;
pub mod delete;
pub mod download;
pub mod latest;
pub mod packages;
pub mod probes;
mod publish;
pub mod put;
pub mod release_writes;
pub mod releases;
pub mod upload;

use super::State;
use super::error::ApiError;
use crate::app::rendered::to_json;
use crate::http::response::Response;
use crate::http::target;
use crate::storage::PackageName;
use serde::Serialize;

/// An answer that is made for one request only.
fn json(status: u16, value: &impl Serialize) -> Response {
    Response::new(status)
        .header("Cache-Control", "no-store")
        .body("application/json", to_json(value))
}

/// The package that a path names, for reading or deleting: a name that none can have is simply not there.
pub fn existing_name(segment: &str) -> Result<PackageName, ApiError> {
    target::decode_segment(segment)
        .and_then(|name| PackageName::parse(&name).ok())
        .ok_or_else(|| ApiError::NoSuchPackage(segment.to_owned()))
}
