//! `GET /assets/{filename}` and `GET /assets/{filename}.sha256`.
//!
//! Invariant: everything in an answer belongs to one open file; a range is cut from the very version that the client
//! names, or the whole file is sent.
//!
//! Sources: the project's contract, section 3; RFC 9110, sections 13 and 14; RFC 9530 (`Repr-Digest`).

use super::{State, existing_name};
use crate::app::error::ApiError;
use crate::app::release::PACKAGE_CONTENT_TYPE;
use crate::clock;
use crate::date;
use crate::http::conditional::{self, Validators, Verdict};
use crate::http::digest::Sha256;
use crate::http::disposition;
use crate::http::range::{self, RangeRequest};
use crate::http::response::{Body, Response};
use crate::http::service::Request;
use crate::http::target;
use crate::storage::name::SIDECAR_SUFFIX;
use crate::storage::{OpenPackage, PackageName};
use std::time::{Duration, UNIX_EPOCH};
use tiny_http::Method;

pub fn get(state: &State, request: &Request<'_>, segment: &str) -> Result<Response, ApiError> {
    let decoded = target::decode_segment(segment).unwrap_or_default();
    match decoded.strip_suffix(SIDECAR_SUFFIX) {
        Some(package) => checksum(state, package),
        None => file(state, request, &existing_name(segment)?),
    }
}

fn file(state: &State, request: &Request<'_>, name: &PackageName) -> Result<Response, ApiError> {
    let package = open(state, name)?;
    let etag = entity_tag(&package);
    let validators = Validators {
        etag: &etag,
        modified: Some(package.state.modified),
    };
    let head = |status| {
        Response::new(status)
            .header("ETag", &etag)
            .header("Last-Modified", &date::http(package.state.modified))
            .header("Cache-Control", "no-cache")
            .header("Accept-Ranges", "bytes")
    };
    match conditional::evaluate(&request.fields, validators) {
        Verdict::Proceed => {}
        Verdict::NotModified => return Ok(head(304)),
        Verdict::PreconditionFailed => return Err(ApiError::Precondition),
    }
    let size = package.state.size;
    // RFC 9110, section 14.2: a range is defined for GET only.
    let wanted = match request.fields.all("range").next() {
        Some(value)
            if *request.method == Method::Get
                && conditional::range_applies(&request.fields, validators, clock::wall_now()) =>
        {
            range::parse(value, size)
        }
        _ => RangeRequest::Whole,
    };
    let (mut response, offset, length) = match wanted {
        RangeRequest::Whole => (head(200), 0, size),
        RangeRequest::Part { first, last } => {
            let content_range = format!("bytes {first}-{last}/{size}");
            let response = head(206).header("Content-Range", &content_range);
            (response, first, last - first + 1)
        }
        RangeRequest::Unsatisfiable => return Err(ApiError::Range(size)),
    };
    if let Some(sha256) = package.sha256 {
        response = response.header("Repr-Digest", &sha256.digest_member());
    }
    response = response
        .header("Content-Type", PACKAGE_CONTENT_TYPE)
        .header(
            "Content-Disposition",
            &disposition::attachment(name.as_str()),
        );
    response.body = Body::File {
        file: package.file,
        offset,
        length,
    };
    Ok(response)
}

/// The checksum, as `sha256sum -c` reads it.
fn checksum(state: &State, name: &str) -> Result<Response, ApiError> {
    let name = PackageName::parse(name)
        .map_err(|_| ApiError::NoSuchPackage(format!("{name}{SIDECAR_SUFFIX}")))?;
    match open(state, &name)?.sha256 {
        Some(sha256) => Ok(Response::new(200).header("Cache-Control", "no-cache").body(
            "text/plain; charset=utf-8",
            format!("{}  {name}\n", sha256.hex()),
        )),
        None => Err(ApiError::ChecksumPending(name.as_str().to_owned())),
    }
}

fn open(state: &State, name: &PackageName) -> Result<OpenPackage, ApiError> {
    state
        .store
        .open_package(name)
        .map_err(|error| ApiError::about(name.as_str(), error))
}

/// The checksum where it is known; else what tells this state of the file from every other.
fn entity_tag(package: &OpenPackage) -> String {
    let nanoseconds = |time: std::time::SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_nanos()
    };
    let state = &package.state;
    match package.sha256.as_ref().map(Sha256::hex) {
        Some(hex) => format!("\"{hex}\""),
        None => format!(
            "\"{:x}-{:x}-{:x}-{:x}\"",
            state.inode,
            state.size,
            nanoseconds(state.modified),
            nanoseconds(state.changed)
        ),
    }
}
