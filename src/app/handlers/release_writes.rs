//! Writes of GitHub's tools: creating a release and uploading an asset to one.
//!
//! A release consists of the packages of a version, so creating one stores nothing and answers with
//! the release as it is or will be. An asset is published as by `PUT`, under a name that must
//! contain the version of its release.
//!
//! Invariant: no answer claims a change that was not made.
//!
//! Source: GitHub's REST API, "Create a release" and "Upload a release asset".

use super::lookup::urls;
use super::publish::raw;
use crate::app::answer::json;
use crate::app::error::{ApiError, ReleaseError};
use crate::app::repository::RepositoryUrls;
use crate::app::router::Route;
use crate::app::state::AppState;
use crate::http::framing::Framing;
use crate::http::response::Response;
use crate::http::service::{BodySink, Reply, Request};
use crate::limits::RELEASE_JSON_BYTES_MAX;
use crate::storage::releases::{release_id, tag_of};
use crate::storage::{Published, Release};
use crate::text;
use crate::tokens::Grant;
use serde_json::Value;
use std::ops::ControlFlow;
use std::sync::Arc;

/// `POST /repos/{owner}/{repo}/releases`.
pub fn create(
    state: &Arc<AppState>,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Reply, ApiError> {
    let urls = urls(state, request, route)?;
    if matches!(request.framing, Framing::Known(length) if length > RELEASE_JSON_BYTES_MAX as u64) {
        return Err(ReleaseError::TooLong.into());
    }
    Ok(Reply::Body(Box::new(ReleaseSink {
        state: Arc::clone(state),
        urls,
        body: Vec::new(),
    })))
}

struct ReleaseSink {
    state: Arc<AppState>,
    urls: RepositoryUrls,
    body: Vec<u8>,
}

impl ReleaseSink {
    fn answer(&self) -> Result<Response, ApiError> {
        let wanted: Value =
            serde_json::from_slice(&self.body).map_err(|_| ReleaseError::NotJson)?;
        let wanted = wanted.as_object().ok_or(ReleaseError::NotJson)?;
        let is_wanted = |name: &'static str| match wanted.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(is_wanted)) => Ok(*is_wanted),
            Some(_) => Err(ReleaseError::NotBoolean(name)),
        };
        let tag = wanted.get("tag_name").and_then(Value::as_str);
        let tag = tag.ok_or(ReleaseError::NoTag)?;
        let empty = Release::empty(tag).ok_or_else(|| ReleaseError::NoVersion(tag.to_owned()))?;
        if is_wanted("draft")? {
            return Err(ReleaseError::Draft.into());
        }
        if is_wanted("prerelease")? && !empty.is_pre_release {
            return Err(ReleaseError::PreRelease(tag.to_owned()).into());
        }
        let listing = self.state.store.listing_at_hand()?;
        let count = |name: &str| self.state.downloads.of(name);
        Ok(match listing.releases().by_id(empty.id) {
            Some(release) => json(200, &self.urls.release(release, &count)),
            None => json(201, &self.urls.release(&empty, &count)),
        })
    }
}

impl BodySink for ReleaseSink {
    fn feed(&mut self, bytes: &[u8]) -> ControlFlow<Response> {
        if self.body.len() + bytes.len() > RELEASE_JSON_BYTES_MAX {
            return ControlFlow::Break(ApiError::from(ReleaseError::TooLong).into_response());
        }
        self.body.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }

    fn finish(self: Box<Self>) -> Reply {
        self.answer().unwrap_or_else(ApiError::into_response).into()
    }
}

/// `POST /repos/{owner}/{repo}/releases/{id}/assets?name=`.
pub fn upload(
    state: &Arc<AppState>,
    request: &Request<'_>,
    route: &Route<'_>,
    grant: &Arc<Grant>,
) -> Result<Reply, ApiError> {
    let urls = urls(state, request, route)?;
    let given = |name: &str| {
        request
            .target
            .parameter(name)
            .filter(|text| !text.is_empty())
    };
    if given("label").is_some() {
        return Err(ReleaseError::Label.into());
    }
    let name = raw::new_name(&given("name").ok_or(ReleaseError::NoName)?)?;
    let tag = tag_of(name.as_str());
    if text::number(route.name) != Some(release_id(tag)) {
        let (name, tag) = (name.to_string(), tag.to_owned());
        return Err(ReleaseError::OtherRelease(name, tag).into());
    }
    let tag = tag.to_owned();
    let answering = Arc::clone(state);
    let answer = move |published: &Published| {
        let count = |name: &str| answering.downloads.of(name);
        json(201, &urls.asset(&published.package, &tag, &count))
    };
    raw::receive(state, request, (name, false), grant, Box::new(answer))
}
