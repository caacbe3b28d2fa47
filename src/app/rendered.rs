//! Answers that are made from the listing and kept until it changes.
//!
//! Invariant: an answer is rendered once for each change, form and base URL, however many ask for it at once; what is
//! served belongs to the version that was asked for, or a later one.

use crate::app::error::ApiError;
use crate::app::negotiate::Page;
use crate::http::conditional::{self, Validators, Verdict};
use crate::http::digest;
use crate::http::response::Response;
use crate::http::service::Request;
use crate::limits::RENDERED_BODIES_MAX;
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// What can be rendered from a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The release object `latest`.
    Latest,
    /// The list of packages as JSON.
    PackagesJson,
    /// The list of packages as a page.
    PackagesHtml,
    /// The releases by version.
    Releases(Page),
    /// The release of an id.
    Release(u64),
    /// The packages of the release of an id.
    ReleaseAssets(u64, Page),
    /// The checksums of the packages of the release of an id; of all packages.
    Checksums(Option<u64>),
}

/// A value of ours as JSON.
pub fn to_json(value: &impl Serialize) -> Vec<u8> {
    // Nothing here can fail to be written as JSON: no maps, no floats.
    serde_json::to_vec(value).unwrap_or_default()
}

/// A finished answer: header lines, body and what the body can be compared by.
#[derive(Clone, Debug)]
pub struct Rendered {
    content_type: &'static str,
    /// Header lines, the content type aside: a 304 has these too.
    lines: Bytes,
    body: Bytes,
    etag: Arc<str>,
}

impl Rendered {
    /// An answer with this body. `headers`: those of its own, beside what every kept answer has.
    pub fn new(content_type: &'static str, body: Vec<u8>, headers: &[(&str, &str)]) -> Self {
        let hash = digest::Sha256::new(Sha256::digest(&body)).hex();
        let etag = format!("\"{}\"", &hash[..32]);
        let mut head = Response::new(200)
            .header("ETag", &etag)
            .header("Cache-Control", "no-cache");
        for (name, value) in headers {
            head = head.header(name, value);
        }
        Self {
            content_type,
            lines: Bytes::copy_from_slice(head.lines()),
            body: body.into(),
            etag: etag.into(),
        }
    }

    /// An answer with this value as JSON.
    pub fn json(value: &impl Serialize, headers: &[(&str, &str)]) -> Self {
        Self::new("application/json", to_json(value), headers)
    }

    /// Answers a request with it: 200, or 304 where the client has it.
    pub fn answer(&self, request: &Request<'_>) -> Result<Response, ApiError> {
        let validators = Validators {
            etag: &self.etag,
            modified: None,
        };
        match conditional::evaluate(&request.fields, validators) {
            Verdict::Proceed => {
                let response = Response::new(200).with_lines(&self.lines);
                Ok(response.body(self.content_type, self.body.clone()))
            }
            Verdict::NotModified => Ok(Response::new(304).with_lines(&self.lines)),
            Verdict::PreconditionFailed => Err(ApiError::Precondition),
        }
    }
}

/// What an answer was made from: the version of the listing, and that of the download counts where they matter.
pub type Version = (u64, u64);

/// Rendered answers, the one used last at the end.
#[derive(Debug, Default)]
pub struct RenderedCache(Mutex<Vec<Arc<Slot>>>);

#[derive(Debug)]
struct Slot {
    view: View,
    base: String,
    /// The answer and what it was made from.
    made: Mutex<Option<(Version, Rendered)>>,
}

impl RenderedCache {
    /// The answer for this view of this version under this base URL; `render` makes it where it is not there.
    pub fn get(
        &self,
        view: View,
        base: &str,
        version: Version,
        render: &dyn Fn() -> Rendered,
    ) -> Rendered {
        let slot = self.slot(view, base);
        // Held while rendering, so that a change is rendered once and not by every worker that is asked; whoever wants
        // another answer does not wait.
        let mut made = slot.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, rendered)) = made.as_ref()
            && *known >= version
        {
            return rendered.clone();
        }
        // The old body goes before there is a new one.
        *made = None;
        let rendered = render();
        *made = Some((version, rendered.clone()));
        rendered
    }

    fn slot(&self, view: View, base: &str) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slots
            .iter()
            .position(|slot| slot.view == view && slot.base == base);
        let slot = match known {
            Some(at) => slots.remove(at),
            None => Arc::new(Slot {
                view,
                base: base.to_owned(),
                made: Mutex::default(),
            }),
        };
        if slots.len() == RENDERED_BODIES_MAX {
            slots.remove(0);
        }
        slots.push(Arc::clone(&slot));
        slot
    }
}
