//! `PUT /assets/{filename}`: publishing a raw body, as `curl -T` sends it.
//!
//! Invariant: everything that the head can tell is refused before the body: name, existing package, length, space.

use super::State;
use super::publish::{self, Intent};
use crate::app::error::{ApiError, UploadError};
use crate::app::negotiate;
use crate::http::digest;
use crate::http::framing::Framing;
use crate::http::response::Response;
use crate::http::service::{BodySink, Reply, Request};
use crate::http::target;
use crate::storage::name::NameError;
use crate::storage::{PackageName, PendingUpload};
use std::ops::ControlFlow;
use std::sync::Arc;

pub fn put(state: &Arc<State>, request: &Request<'_>, segment: &str) -> Result<Reply, ApiError> {
    let intent = Intent {
        overwrite: negotiate::overwrite(request)?,
        stated: digest::stated(&request.fields, true).map_err(UploadError::Digest)?,
        base: state.public_url.base(request)?.into_owned(),
    };
    let name = new_name(segment)?;
    match request.framing {
        Framing::None => return Err(UploadError::LengthRequired.into()),
        Framing::Known(0) => return Err(UploadError::EmptyFile.into()),
        Framing::Known(length) => publish::check_length(state, length, 0)?,
        Framing::Chunked => {}
    }
    state
        .store
        .check_name_is_free(&name, intent.overwrite)
        .map_err(|error| ApiError::about(name.as_str(), error))?;
    Ok(Reply::Body(Box::new(PutSink {
        upload: state.store.begin_upload()?,
        state: Arc::clone(state),
        name,
        intent,
    })))
}

/// The name that a path gives a new package.
fn new_name(segment: &str) -> Result<PackageName, UploadError> {
    let refused = |name: &str, why| UploadError::Name(name.to_owned(), why);
    match target::decode_segment(segment) {
        Some(name) => PackageName::parse(&name).map_err(|why| refused(&name, why)),
        None => Err(refused(segment, NameError::NotUtf8)),
    }
}

struct PutSink {
    state: Arc<State>,
    upload: PendingUpload,
    name: PackageName,
    intent: Intent,
}

impl BodySink for PutSink {
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response> {
        match publish::write(&self.state, &mut self.upload, bytes) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error.into_response()),
        }
    }

    fn finish(self: Box<Self>) -> Response {
        publish::publish(&self.state, self.upload, &self.name, &self.intent, 201)
            .unwrap_or_else(ApiError::into_response)
    }
}
