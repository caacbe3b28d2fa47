//! Publishing a raw body: `PUT /assets/{filename}`, as `curl -T` sends it, and uploads of release
//! assets.
//!
//! Invariant: whatever the head shows to be wrong is refused before the body: name, existing
//! package, length, space.

use super::{BuildAnswer, Intent, check_length, refusal, write};
use crate::app::auth;
use crate::app::entity_tag::precondition;
use crate::app::error::{ApiError, UploadError};
use crate::app::handlers::lookup::CHECKSUMS;
use crate::app::negotiate;
use crate::app::state::AppState;
use crate::http::digest;
use crate::http::framing::Framing;
use crate::http::response::Response;
use crate::http::service::{BodySink, Reply, Request};
use crate::http::target;
use crate::storage::name::NameError;
use crate::storage::{PackageName, PendingUpload, Published, Requirement};
use crate::tokens::{Grant, Right};
use std::ops::ControlFlow;
use std::sync::Arc;

pub fn put(
    state: &Arc<AppState>,
    request: &Request<'_>,
    segment: &str,
    grant: &Arc<Grant>,
) -> Result<Reply, ApiError> {
    let overwrite = negotiate::overwrite(request)?;
    let base = state.public_url.base(request)?.into_owned();
    let name = match target::decode_segment(segment) {
        Some(name) => new_name(&name)?,
        None => return Err(UploadError::Name(segment.to_owned(), NameError::NotUtf8).into()),
    };
    let shared = Arc::clone(state);
    let answer = move |published: &Published| super::answer(&shared, published, &base, 201);
    receive(state, request, (name, overwrite), grant, Box::new(answer))
}

pub fn new_name(name: &str) -> Result<PackageName, UploadError> {
    if name == CHECKSUMS {
        return Err(UploadError::Reserved);
    }
    PackageName::parse(name).map_err(|why| UploadError::Name(name.to_owned(), why))
}

/// Publishes a request's body under a name, in place of a package where that is asked for, and
/// answers.
pub fn receive(
    state: &Arc<AppState>,
    request: &Request<'_>,
    (name, overwrite): (PackageName, bool),
    grant: &Arc<Grant>,
    answer: BuildAnswer,
) -> Result<Reply, ApiError> {
    auth::permit(state, grant, Right::Publish, &name)?;
    let intent = Intent {
        grant: Arc::clone(grant),
        requirement: Requirement {
            overwrite: auth::overwrite(grant, overwrite),
            precondition: precondition(&request.fields),
            listed: negotiate::catalog_required(request)?,
        },
        stated: digest::stated(&request.fields, true).map_err(UploadError::Digest)?,
    };
    if request.fields.all("Content-Range").next().is_some() {
        return Err(UploadError::Part.into());
    }
    match request.framing {
        Framing::None => return Err(UploadError::LengthRequired.into()),
        Framing::Known(0) => return Err(UploadError::EmptyFile.into()),
        Framing::Known(length) => check_length(state, length, 0)?,
        Framing::Chunked => {}
    }
    state
        .store
        .check_publish(&name, &intent.requirement)
        .map_err(|error| refusal(state, grant, &name, error))?;
    Ok(Reply::Body(Box::new(RawSink {
        upload: state.store.begin_upload()?,
        state: Arc::clone(state),
        name,
        intent,
        answer,
    })))
}

struct RawSink {
    state: Arc<AppState>,
    upload: PendingUpload,
    name: PackageName,
    intent: Intent,
    answer: BuildAnswer,
}

impl BodySink for RawSink {
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response> {
        match write(&self.state, &mut self.upload, bytes) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error.into_response()),
        }
    }

    fn finish(self: Box<Self>) -> Reply {
        super::publish(self.state, self.upload, self.name, self.intent, self.answer)
    }
}
