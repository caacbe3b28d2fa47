//! `GET /openapi.yaml` and `GET /openapi.json`: the contract, from the repository's file.
//!
//! Invariant: both are the same document; the JSON is made from the YAML on the first request.

use crate::app::error::ApiError;
use crate::app::rendered::Rendered;
use crate::http::response::Response;
use crate::http::service::Request;
use std::sync::LazyLock;

const DOCUMENT: &str = include_str!("../../../openapi.yaml");

static YAML: LazyLock<Rendered> =
    LazyLock::new(|| Rendered::new("application/yaml", DOCUMENT.into(), &[]));

static JSON: LazyLock<Rendered> = LazyLock::new(|| {
    // The document is compiled in and checked by a test, so parsing cannot fail.
    let document: serde_json::Value = serde_yaml::from_str(DOCUMENT).unwrap_or_default();
    Rendered::new("application/json", document.to_string().into_bytes(), &[])
});

pub fn yaml(request: &Request<'_>) -> Result<Response, ApiError> {
    YAML.answer(request)
}

pub fn json(request: &Request<'_>) -> Result<Response, ApiError> {
    JSON.answer(request)
}
