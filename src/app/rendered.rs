//! Answers that are made from the listing and kept until it changes.
//!
//! Invariant: an answer is rendered once for each change, form and base URL, however many ask for it at once; what is
//! served belongs to the version that was asked for, or a later one. Whatever hosts clients invent, and however slowly they
//! take what they asked for, bodies take no more memory than those kept and `LEFT_BODIES_BYTES_MAX` beside.

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

/// An answer that is made for one request only.
pub fn json(status: u16, value: &impl Serialize) -> Response {
    Response::new(status)
        .header("Cache-Control", "no-store")
        .body("application/json", to_json(value))
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

/// Rendered answers, those kept that are asked for the most.
#[derive(Debug, Default)]
pub struct RenderedCache {
    kept: Mutex<Kept>,
    /// Bytes of all bodies that exist, kept or still on their way to somebody.
    alive_bytes: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Kept {
    /// With how often each was asked for.
    slots: Vec<(Arc<Slot>, u32)>,
    /// Uses since they last were halved.
    uses: u32,
}

#[derive(Debug)]
struct Slot {
    view: View,
    base: String,
    /// The answer and what it was made from.
    made: Mutex<Option<(Version, Rendered)>>,
    /// The length of its body.
    bytes: AtomicUsize,
}

/// A body that counts for as long as anybody holds it.
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
    /// The answer for this view of this version under this base URL; `render` makes it where it is not there. Refused where
    /// nobody asked for it lately and slow clients hold too many such answers.
    pub fn get(
        &self,
        view: View,
        base: &str,
        version: Version,
        render: &dyn Fn() -> Rendered,
    ) -> Result<Rendered, ApiError> {
        let slot = self.slot(view, base).ok_or(ApiError::Overloaded)?;
        // Held while rendering, so that a change is rendered once and not by every worker that is asked; whoever wants
        // another answer does not wait.
        let mut made = slot.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, rendered)) = made.as_ref()
            && *known >= version
        {
            return Ok(rendered.clone());
        }
        // The old body goes before there is a new one.
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

    /// The slot of this view and base URL; a new one only while there is room for what slow clients hold of others.
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

    /// Counts a use; what was used a while ago counts less and less.
    fn age(&mut self) {
        self.uses += 1;
        if self.uses == RENDERED_USES_MAX {
            self.uses = 0;
            for (_, uses) in &mut self.slots {
                *uses /= 2;
            }
        }
    }

    /// Of several the oldest.
    fn drop_least_used(&mut self) {
        let uses = self.slots.iter().map(|(_, uses)| *uses);
        if let Some((at, _)) = uses.enumerate().min_by_key(|(_, uses)| *uses) {
            self.slots.remove(at);
        }
    }
}
