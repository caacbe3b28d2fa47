//! Downloads: `GET /assets/{filename}`, `GET /assets/{filename}.sha256` and `GET
//! /assets/SHA256SUMS`; the same by the tag of a release; and the redirect from `GET
//! /latest/download/{pattern}`.
//!
//! Invariants: everything in an answer belongs to one open file; a range is taken from the version
//! that the client names, or the whole file is sent. A package called `SHA256SUMS` overrides the
//! list of checksums: a published name serves what was published. The list is complete, or the
//! answer is 503.
//!
//! Sources: docs/contract.md, section 3; RFC 9110, sections 13 and 14; RFC 9530 (`Repr-Digest`).

use super::lookup::{CHECKSUMS, by_tag, existing_name, latest, urls};
use crate::app::answer::{Form, no_values};
use crate::app::error::{ApiError, NotFound};
use crate::app::public_url;
use crate::app::release;
use crate::app::rendered::{Source, View};
use crate::app::router::Route;
use crate::app::state::AppState;
use crate::clock;
use crate::http::conditional::{self, Validators, Verdict};
use crate::http::fields::Fields;
use crate::http::range::{self, RangeRequest};
use crate::http::response::{Body, Response};
use crate::http::service::Request;
use crate::http::target;
use crate::limits::PATTERN_BYTES_MAX;
use crate::pattern::Pattern;
use crate::storage::name::SIDECAR_SUFFIX;
use crate::storage::open::PackageBytes;
use crate::storage::{Listing, OpenPackage, Package, PackageName, Release};
use std::sync::Arc;
use tiny_http::Method;

const CHECKSUM_CONTENT_TYPE: &str = "text/plain; charset=utf-8";

pub fn get(state: &AppState, request: &Request<'_>, segment: &str) -> Result<Response, ApiError> {
    let decoded = target::decode_segment(segment).unwrap_or_default();
    if let Some(package) = decoded.strip_suffix(SIDECAR_SUFFIX) {
        return checksum(state, package);
    }
    match file(state, request, &existing_name(segment)?) {
        Err(ApiError::NotFound(_)) if decoded == CHECKSUMS => {
            checksums(state, request, &*state.store.listing()?, None)
        }
        answer => answer,
    }
}

/// The same for a package of one release, or for all of them.
pub fn of_release(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let listing = state.store.listing()?;
    let release = by_tag(&listing, route.tag)?;
    one_of(state, request, route, &listing, release)
}

/// The same for the release of the highest version.
pub fn of_latest(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
) -> Result<Response, ApiError> {
    let listing = state.store.listing()?;
    let release = latest(&listing)?;
    one_of(state, request, route, &listing, release)
}

fn one_of(
    state: &AppState,
    request: &Request<'_>,
    route: &Route<'_>,
    listing: &Listing,
    release: &Release,
) -> Result<Response, ApiError> {
    urls(state, request, route)?;
    let decoded = target::decode_segment(route.name).unwrap_or_default();
    let package = decoded.strip_suffix(SIDECAR_SUFFIX).unwrap_or(&decoded);
    let is_listed = release
        .packages
        .iter()
        .any(|listed| listed.name.as_str() == package);
    match &*decoded {
        _ if is_listed => get(state, request, route.name),
        CHECKSUMS => checksums(state, request, listing, Some(release)),
        name => Err(NotFound::Package(name.to_owned()).into()),
    }
}

/// The redirect to the newest package that matches a pattern. The path has no query parameters: an
/// unencoded `?` is part of the pattern.
pub fn newest(
    state: &AppState,
    request: &Request<'_>,
    segment: &str,
) -> Result<Response, ApiError> {
    let text = match request.target.query {
        "" => segment.to_owned(),
        query => format!("{segment}?{query}"),
    };
    let no_match = || NotFound::Match(text.clone());
    let decoded = target::decode_segment(&text).ok_or_else(no_match)?;
    if decoded.len() > PATTERN_BYTES_MAX {
        return Err(no_match().into());
    }
    let pattern = Pattern::new(&decoded);
    let listing = state.store.listing()?;
    let packages = state.ordered(&listing).into_iter();
    let newest = packages
        .into_iter()
        .find(|package| pattern.matches(package.name.as_str()));
    let base = state.public_url.base(request)?;
    let location = release::download_url(newest.ok_or_else(no_match)?, public_url::path_of(&base));
    Ok(Response::new(302)
        .header("Location", &location)
        .header("Cache-Control", "no-cache"))
}

/// The checksums of all packages, or of one release, by name, in the format of `sha256sum -c`.
fn checksums(
    state: &AppState,
    request: &Request<'_>,
    listing: &Listing,
    release: Option<&Release>,
) -> Result<Response, ApiError> {
    let packages = release.map_or(listing.by_name(), |release| &release.packages);
    if let Some(pending) = packages.iter().find(|package| package.sha256.is_none()) {
        return Err(ApiError::ChecksumPending(pending.name.to_string()));
    }
    let view = View::Checksums(release.map(|release| release.id));
    let source = Source::of(listing);
    let rendered = state.rendered.get(view, source, no_values(), &|| {
        let mut packages: Vec<_> = packages.iter().collect();
        packages.sort_unstable_by_key(|package| &package.name);
        let line = |package: &&Arc<Package>| {
            let sha256 = package.sha256.map(|sha256| sha256.hex());
            sha256.map(|sha256| format!("{sha256}  {}\n", package.name))
        };
        packages
            .iter()
            .filter_map(line)
            .collect::<String>()
            .into_bytes()
    });
    let form = Form {
        content_type: CHECKSUM_CONTENT_TYPE,
        headers: &[],
    };
    rendered.answer(request, form)
}

pub fn file(
    state: &AppState,
    request: &Request<'_>,
    name: &PackageName,
) -> Result<Response, ApiError> {
    let package = open(state, name)?;
    let kept = state.file_heads.of(name, &package);
    let validators = Validators {
        etag: &kept.etag,
        modified: Some(package.state.modified),
    };
    let head = |status| Response::new(status).with_lines(&kept.about);
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
    let is_download = *request.method == Method::Get && matches!(wanted, RangeRequest::Whole);
    let (mut response, offset, length) = match wanted {
        RangeRequest::Whole => (head(200), 0, size),
        RangeRequest::Part { first, last } => {
            let content_range = format!("bytes {first}-{last}/{size}");
            let response = head(206).header("Content-Range", &content_range);
            (response, first, last - first + 1)
        }
        RangeRequest::Unsatisfiable => return Err(ApiError::Range(size)),
    };
    response = response.with_lines(&kept.content);
    let response = with_bytes(response, package, request, (name, offset, length))?;
    if is_download {
        state.downloads.count(&*state.store, name);
    }
    Ok(response)
}

/// The answer with a section of the package, or the redirect to the package.
fn with_bytes(
    mut response: Response,
    package: OpenPackage,
    request: &Request<'_>,
    (name, offset, length): (&PackageName, u64, u64),
) -> Result<Response, ApiError> {
    if *request.method == Method::Head {
        response.body = Body::Omitted(length);
        return Ok(response);
    }
    let bytes = package.source.bytes(may_redirect(&request.fields));
    response.body = match bytes.map_err(|error| ApiError::about(name.as_str(), error))? {
        PackageBytes::File(file) => Body::File {
            file,
            offset,
            length,
        },
        PackageBytes::Arriving(arriving) => Body::Arriving {
            arriving,
            offset,
            length,
        },
        PackageBytes::Elsewhere(url) => {
            return Ok(Response::new(302)
                .header("Location", &url)
                .header("Cache-Control", "no-store"));
        }
    };
    Ok(response)
}

/// Whether the client can be sent to an object store. Stores refuse a signed URL together with
/// `Authorization`, and answer `If-Range` with the range of another version.
fn may_redirect(fields: &Fields<'_, '_>) -> bool {
    let kept_here = ["authorization", "range", "if-range"];
    kept_here
        .iter()
        .all(|name| fields.all(name).next().is_none())
}

/// The checksum in the format of `sha256sum -c`.
fn checksum(state: &AppState, name: &str) -> Result<Response, ApiError> {
    let name = PackageName::parse(name)
        .map_err(|_| NotFound::Package(format!("{name}{SIDECAR_SUFFIX}")))?;
    match open(state, &name)?.sha256 {
        Some(sha256) => Ok(Response::new(200)
            .header("Cache-Control", "no-cache")
            .body(CHECKSUM_CONTENT_TYPE, format!("{}  {name}\n", sha256.hex()))),
        None => Err(ApiError::ChecksumPending(name.as_str().to_owned())),
    }
}

fn open(state: &AppState, name: &PackageName) -> Result<OpenPackage, ApiError> {
    state
        .store
        .open_package(name)
        .map_err(|error| ApiError::about(name.as_str(), error))
}
