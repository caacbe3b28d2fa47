//! `POST /upload`: publishing by form, as `curl -F file=@NAME` and browsers send it.
//!
//! Invariants: exactly one part is a file, and its name is `file`; other fields are skipped and
//! bounded; nothing is published before the closing boundary has arrived.
//!
//! Source: RFC 7578.

use super::raw::new_name;
use super::{Intent, check_length, refusal, write};
use crate::app::auth;
use crate::app::entity_tag::precondition;
use crate::app::error::{ApiError, UploadError};
use crate::app::negotiate;
use crate::app::state::AppState;
use crate::http::digest;
use crate::http::framing::Framing;
use crate::http::multipart::{self, FormData, MultipartParser, Part};
use crate::http::response::Response;
use crate::http::service::{BodySink, Reply, Request};
use crate::limits::FORM_OVERHEAD_BYTES_MAX;
use crate::storage::{PackageName, PendingUpload, Published, Requirement};
use crate::tokens::{Grant, Right};
use std::ops::ControlFlow;
use std::sync::Arc;

pub fn post(
    state: &Arc<AppState>,
    request: &Request<'_>,
    grant: &Arc<Grant>,
) -> Result<Reply, ApiError> {
    let intent = Intent {
        grant: Arc::clone(grant),
        requirement: Requirement {
            overwrite: auth::overwrite(grant, negotiate::overwrite(request)?),
            precondition: precondition(&request.fields),
            listed: negotiate::catalog_required(request)?,
        },
        stated: digest::stated(&request.fields, false).map_err(UploadError::Digest)?,
    };
    let base = state.public_url.base(request)?.into_owned();
    let boundary = request
        .fields
        .all("content-type")
        .next()
        .and_then(multipart::boundary)
        .ok_or(UploadError::NotMultipart)?;
    if let Framing::Known(length) = request.framing {
        check_length(state, length, FORM_OVERHEAD_BYTES_MAX)?;
    }
    Ok(Reply::Body(Box::new(FormSink {
        parser: MultipartParser::new(&boundary),
        form: Form {
            state: Arc::clone(state),
            intent,
            base,
            file: None,
            has_file_part: false,
            in_file: false,
            received_bytes: 0,
        },
    })))
}

struct FormSink {
    parser: MultipartParser,
    form: Form,
}

/// The parts of the form so far.
struct Form {
    state: Arc<AppState>,
    intent: Intent,
    base: String,
    file: Option<(PackageName, PendingUpload)>,
    /// Whether a part has had the name `file`, with a filename or without.
    has_file_part: bool,
    /// Whether the current part is the file.
    in_file: bool,
    received_bytes: u64,
}

impl FormSink {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), ApiError> {
        self.form.received_bytes += bytes.len() as u64;
        loop {
            match self
                .parser
                .next(&mut bytes)
                .map_err(UploadError::Multipart)?
            {
                Part::Begin(part) => self.form.begin(&part)?,
                Part::Data(data) => self.form.data(data)?,
                Part::End => self.form.in_file = false,
                Part::NeedMore => break,
            }
        }
        let file_bytes = self
            .form
            .file
            .as_ref()
            .map_or(0, |(_, upload)| upload.size());
        if self.form.received_bytes - file_bytes > FORM_OVERHEAD_BYTES_MAX {
            return Err(UploadError::FormOverhead.into());
        }
        Ok(())
    }
}

impl Form {
    fn begin(&mut self, part: &FormData) -> Result<(), ApiError> {
        let is_file_part = part.name == "file";
        if (is_file_part && self.has_file_part) || (part.filename.is_some() && self.file.is_some())
        {
            return Err(UploadError::ManyFiles.into());
        }
        self.has_file_part |= is_file_part;
        let Some(filename) = &part.filename else {
            return Ok(());
        };
        if !is_file_part {
            return Err(UploadError::NoFile.into());
        }
        let name = new_name(filename)?;
        let (state, grant) = (&self.state, &self.intent.grant);
        auth::permit(state, grant, Right::Publish, &name)?;
        state
            .store
            .check_publish(&name, &self.intent.requirement)
            .map_err(|error| refusal(state, grant, &name, error))?;
        self.file = Some((name, self.state.store.begin_upload()?));
        self.in_file = true;
        Ok(())
    }

    fn data(&mut self, data: &[u8]) -> Result<(), ApiError> {
        match &mut self.file {
            Some((_, upload)) if self.in_file => write(&self.state, upload, data),
            _ => Ok(()),
        }
    }
}

impl BodySink for FormSink {
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response> {
        match self.take(bytes) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error.into_response()),
        }
    }

    fn finish(self: Box<Self>) -> Reply {
        let form = self.form;
        let error = match form.file {
            _ if !self.parser.is_complete() => UploadError::CutShort,
            None => UploadError::NoFile,
            Some((name, upload)) => {
                let (base, state) = (form.base, Arc::clone(&form.state));
                let answer =
                    move |published: &Published| super::answer(&state, published, &base, 200);
                return super::publish(form.state, upload, name, form.intent, Box::new(answer));
            }
        };
        ApiError::from(error).into_response().into()
    }
}
