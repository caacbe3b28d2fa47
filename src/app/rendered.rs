//! Answers that are rendered from the listing and kept until it changes.
//!
//! Invariants: an answer is rendered once for each change, form and base URL, however many requests
//! for it arrive at once; an answer belongs to the requested version or a later one. Whatever hosts
//! clients invent, and however slowly they read, bodies take no more memory than the kept ones and
//! `LEFT_BODIES_BYTES_MAX` in addition.

use crate::app::error::ApiError;
use crate::app::negotiate::Page;
use crate::checksum;
use crate::http::conditional::{self, Validators, Verdict};
use crate::http::response::Response;
use crate::http::service::Request;
use crate::limits::{LEFT_BODIES_BYTES_MAX, RENDERED_BODIES_MAX, RENDERED_USES_MAX};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The forms that can be rendered from a listing.
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
    /// The release with this id.
    Release(u64),
    /// The packages of the release with this id.
    ReleaseAssets(u64, Page),
    /// The checksums of the packages of the release with this id, or of all packages.
    Checksums(Option<u64>),
}

/// A value of this program as JSON.
pub fn to_json(value: &impl Serialize) -> Vec<u8> {
    // These values cannot fail to serialize: they hold no maps and no floats.
    serde_json::to_vec(value).unwrap_or_default()
}

/// An answer that is made for one request only.
pub fn json(status: u16, value: &impl Serialize) -> Response {
    Response::new(status)
        .header("Cache-Control", "no-store")
        .body("application/json", to_json(value))
}

/// A complete answer: header lines, body and validator.
#[derive(Clone, Debug)]
pub struct Rendered {
    content_type: &'static str,
    /// The header lines without the content type: a 304 has these too.
    lines: Bytes,
    body: Bytes,
    etag: Arc<str>,
}

impl Rendered {
    /// An answer with this body. `headers` are added to those that every kept answer has.
    pub fn new(content_type: &'static str, body: Vec<u8>, headers: &[(&str, &str)]) -> Self {
        let hash = checksum::Sha256::new(Sha256::digest(&body)).hex();
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

    /// Answers a request: 200, or 304 if the client has this version.
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

/// The versions an answer was rendered from: of the listing, and of the download counts where the
/// answer depends on them.
pub type Version = (u64, u64);

/// Rendered answers; the most requested ones are kept.
#[derive(Debug, Default)]
pub struct RenderedCache {
    kept: Mutex<Kept>,
    /// Bytes of all existing bodies, whether kept or still being sent.
    alive_bytes: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Each with the number of its requests.
    slots: Vec<(Arc<Slot>, u32)>,
    /// Requests since the numbers were last halved.
    uses: u32,
}

#[derive(Debug)]
struct Slot {
    view: View,
    base: String,
    /// The answer and the versions it was rendered from.
    made: Mutex<Option<(Version, Rendered)>>,
    /// The length of its body.
    bytes: AtomicUsize,
}

/// A body that is counted for as long as a reference to it exists.
struct Counted {
    body: Bytes,
    alive_bytes: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive_bytes
            .fetch_sub(self.body.len(), Ordering::Relaxed);
    }
}

impl RenderedCache {
    /// The answer for this view of this version under this base URL; `render` makes it if it is not
    /// kept. Refused if it was not requested recently and slow clients hold too many such answers.
    pub fn get(
        &self,
        view: View,
        base: &str,
        version: Version,
        render: &dyn Fn() -> Rendered,
    ) -> Result<Rendered, ApiError> {
        let slot = self.slot(view, base).ok_or(ApiError::Overloaded)?;
        // Held while rendering, so that each change is rendered once and not by every worker;
        // requests for other answers do not wait.
        let mut made = slot.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, rendered)) = made.as_ref()
            && *known >= version
        {
            return Ok(rendered.clone());
        }
        // The old body is dropped before the new one is made.
        *made = None;
        slot.bytes.store(0, Ordering::Relaxed);
        let mut rendered = render();
        let body = std::mem::take(&mut rendered.body);
        slot.bytes.store(body.len(), Ordering::Relaxed);
        self.alive_bytes.fetch_add(body.len(), Ordering::Relaxed);
        rendered.body = Bytes::from_owner(Counted {
            body,
            alive_bytes: Arc::clone(&self.alive_bytes),
        });
        *made = Some((version, rendered.clone()));
        Ok(rendered)
    }

    /// The slot of this view and base URL; a new one only while the bodies that slow clients hold
    /// leave room.
    fn slot(&self, view: View, base: &str) -> Option<Arc<Slot>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.age();
        let known = kept
            .slots
            .iter_mut()
            .find(|(slot, _)| slot.view == view && slot.base == base);
        if let Some((slot, uses)) = known {
            *uses += 1;
            return Some(Arc::clone(slot));
        }
        let alive = self.alive_bytes.load(Ordering::Relaxed);
        if alive.saturating_sub(kept.bytes()) > LEFT_BODIES_BYTES_MAX {
            return None;
        }
        if kept.slots.len() == RENDERED_BODIES_MAX {
            kept.drop_least_used();
        }
        let slot = Arc::new(Slot {
            view,
            base: base.to_owned(),
            made: Mutex::default(),
            bytes: AtomicUsize::new(0),
        });
        kept.slots.push((Arc::clone(&slot), 1));
        Some(slot)
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        let bytes = |(slot, _): &(Arc<Slot>, u32)| slot.bytes.load(Ordering::Relaxed);
        self.slots.iter().map(bytes).sum()
    }

    /// Counts a request; older requests count less and less.
    fn age(&mut self) {
        self.uses += 1;
        if self.uses == RENDERED_USES_MAX {
            self.uses = 0;
            for (_, uses) in &mut self.slots {
                *uses /= 2;
            }
        }
    }

    /// Of several, the oldest.
    fn drop_least_used(&mut self) {
        let uses = self.slots.iter().map(|(_, uses)| *uses);
        if let Some((at, _)) = uses.enumerate().min_by_key(|(_, uses)| *uses) {
            self.slots.remove(at);
        }
    }
}
