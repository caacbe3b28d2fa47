//! `GET /openapi.yaml` and `GET /openapi.json`: the contract, from the repository's file.
//!
//! Invariant: both are the same document; the JSON is made from the YAML on the first request.

use crate::app::answer::{Form, Rendered, no_values};
use crate::app::error::ApiError;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::http::template::Template;
use std::sync::{Arc, LazyLock};

const DOCUMENT: &str = include_str!("../../../openapi.yaml");

static YAML: LazyLock<Arc<Template>> =
    LazyLock::new(|| Arc::new(Template::new(DOCUMENT.as_bytes())));

static JSON: LazyLock<Arc<Template>> = LazyLock::new(|| {
    // The document is compiled in and checked by a test, so parsing cannot fail.
    let document: serde_json::Value = serde_yaml::from_str(DOCUMENT).unwrap_or_default();
    Arc::new(Template::new(format!("{document}\n").as_bytes()))
});

pub fn yaml(request: &Request<'_>) -> Result<Response, ApiError> {
    let form = Form {
        content_type: "application/yaml",
        headers: &[],
    };
    Rendered::new(Arc::clone(&YAML), no_values()).answer(request, form)
}

pub fn json(request: &Request<'_>) -> Result<Response, ApiError> {
    Rendered::new(Arc::clone(&JSON), no_values()).answer(request, Form::json(&[]))
}
