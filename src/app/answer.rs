//! Answers that a client may keep: their validator, their headers, and 304 where it has them.
//!
//! Invariant: a 304 has the headers of the 200 that it stands for, but for those of the body.
//!
//! Source: RFC 9110, sections 8.8.3 and 15.4.5.

use crate::app::error::ApiError;
use crate::checksum;
use crate::http::conditional::{self, Validators, Verdict};
use crate::http::response::{Body, Response};
use crate::http::service::Request;
use crate::http::template::{Composed, Template, Values};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The values of a view that has none.
pub fn no_values() -> Values {
    Arc::new([])
}

/// A value of this program as JSON, with a line end for those who read it in a terminal.
pub fn to_json(value: &impl Serialize) -> Vec<u8> {
    // These values cannot fail to serialize: they hold no maps and no floats.
    let mut json = serde_json::to_vec(value).unwrap_or_default();
    json.push(b'\n');
    json
}

/// An answer that is made for one request only.
pub fn json(status: u16, value: &impl Serialize) -> Response {
    Response::new(status)
        .header("Cache-Control", "no-store")
        .body("application/json", to_json(value))
}

/// The media type and the further headers of an answer that a client may keep.
#[derive(Clone, Copy, Debug)]
pub struct Form<'h> {
    pub content_type: &'static str,
    pub headers: &'h [(&'h str, &'h str)],
}

impl<'h> Form<'h> {
    pub fn json(headers: &'h [(&'h str, &'h str)]) -> Self {
        let content_type = "application/json";
        Self {
            content_type,
            headers,
        }
    }

    /// Answers with a body that is made for one request: 200, or 304 if the client has it.
    pub fn answer_once(&self, request: &Request<'_>, body: Vec<u8>) -> Result<Response, ApiError> {
        self.answer(request, &Sha256::digest(&body).into(), || {
            Body::Bytes(body.into())
        })
    }

    fn answer(
        &self,
        request: &Request<'_>,
        hash: &[u8; 32],
        body: impl FnOnce() -> Body,
    ) -> Result<Response, ApiError> {
        let etag = ["\"", &checksum::hex(&hash[..16]), "\""].concat();
        let validators = Validators {
            etag: &etag,
            modified: None,
        };
        let verdict = conditional::evaluate(&request.fields, validators);
        let status = match verdict {
            Verdict::Proceed => 200,
            Verdict::NotModified => 304,
            Verdict::PreconditionFailed => return Err(ApiError::Precondition),
        };
        let mut response = Response::new(status)
            .header("ETag", &etag)
            .header("Cache-Control", "no-cache");
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        if verdict == Verdict::Proceed {
            response = response.header("Content-Type", self.content_type);
            response.body = body();
        }
        Ok(response)
    }
}

/// A text with the values of one client.
pub struct Rendered {
    template: Arc<Template>,
    values: Values,
}

impl Rendered {
    /// `template` must be owned by a cache or a static, since a body in progress does not own it.
    pub fn new(template: Arc<Template>, values: Values) -> Self {
        Self { template, values }
    }

    /// Answers a request: 200, or 304 if the client has this version.
    pub fn answer(&self, request: &Request<'_>, form: Form<'_>) -> Result<Response, ApiError> {
        form.answer(request, &self.template.hash(&self.values), || {
            Body::Composed(Composed::new(&self.template, Arc::clone(&self.values)))
        })
    }
}
