//! The JSON objects of answers: package metadata, and releases as GitHub describes them.
//!
//! Invariants: every field that a strictly typed GitHub client needs is present with a value of its
//! type; dates are valid even without packages; a repository's name appears in a URL only
//! percent-encoded.
//!
//! Sources: docs/contract.md, sections 1 and 2; GitHub's REST API, "Releases" and "Simple User".

use crate::app::user::{SimpleUser, node_id};
use crate::date;
use crate::storage::Package;
use crate::storage::releases::{asset_id, stable_id};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// The media type of every package.
pub const PACKAGE_CONTENT_TYPE: &str = "application/octet-stream";

/// Every character except the unreserved ones of RFC 3986, section 2.3, and `+`, which means
/// itself in a path and which many versions contain.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+');

/// The metadata in the answer to a publish and in the JSON list.
#[derive(Debug, Serialize)]
pub struct Metadata<'p> {
    name: &'p str,
    size: u64,
    created_at: String,
    sha256: Option<String>,
    download_url: String,
}

impl<'p> Metadata<'p> {
    /// Describes a package to a client that reaches the server by `base`.
    pub fn new(package: &'p Package, base: &str) -> Self {
        Self {
            name: package.name.as_str(),
            size: package.state.size,
            created_at: date::rfc3339(package.state.modified),
            sha256: package.sha256.map(|sha256| sha256.hex()),
            download_url: download_url(package, base),
        }
    }
}

/// The URL that a package is downloaded from.
pub fn download_url(package: &Package, base: &str) -> String {
    format!("{base}/assets/{}", segment(package.name.as_str()))
}

/// Text as a segment of a URL's path.
pub fn segment(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, PATH_SEGMENT)
}

/// A release object of GitHub's API.
#[derive(Debug, Serialize)]
pub struct Release<'p> {
    url: String,
    html_url: String,
    assets_url: String,
    upload_url: String,
    id: u64,
    node_id: String,
    tag_name: &'p str,
    target_commitish: &'static str,
    name: &'p str,
    body: &'static str,
    draft: bool,
    pub prerelease: bool,
    immutable: bool,
    created_at: String,
    published_at: String,
    author: SimpleUser,
    tarball_url: Option<String>,
    zipball_url: Option<String>,
    assets: Vec<Asset<'p>>,
}

/// An asset object of GitHub's API.
#[derive(Debug, Serialize)]
pub struct Asset<'p> {
    url: String,
    browser_download_url: String,
    id: u64,
    node_id: String,
    name: &'p str,
    label: Option<String>,
    state: &'static str,
    content_type: &'static str,
    size: u64,
    digest: Option<String>,
    download_count: u64,
    created_at: String,
    updated_at: String,
    uploader: Option<SimpleUser>,
}

/// Returns the download count of the package with this name.
pub type DownloadCount<'c> = dyn Fn(&str) -> u64 + 'c;

/// The URLs of a release.
pub struct Places {
    pub url: String,
    pub html_url: String,
    pub assets_url: String,
    pub upload_url: String,
}

impl<'p> Release<'p> {
    /// The flat release `latest` of these packages.
    pub fn latest(packages: &[&'p Arc<Package>], base: &str, count: &DownloadCount<'_>) -> Self {
        let places = Places {
            url: format!("{base}/latest"),
            html_url: format!("{base}/packages"),
            assets_url: format!("{base}/packages?format=json"),
            upload_url: format!("{base}/upload"),
        };
        let assets = packages.iter().map(|package| {
            let url = download_url(package, base);
            Asset::new(package, url.clone(), url, count)
        });
        let id = stable_id("release", "latest");
        Self::new(id, "latest", places, base, assets.collect())
    }

    pub fn new(id: u64, tag: &'p str, places: Places, base: &str, assets: Vec<Asset<'p>>) -> Self {
        let date = assets.first().map(|asset| asset.updated_at.clone());
        let date = date.unwrap_or_else(|| date::rfc3339(UNIX_EPOCH));
        Self {
            url: places.url,
            html_url: places.html_url,
            assets_url: places.assets_url,
            upload_url: places.upload_url,
            id,
            node_id: node_id("Release", id),
            tag_name: tag,
            target_commitish: "main",
            name: tag,
            body: "",
            draft: false,
            prerelease: false,
            immutable: false,
            created_at: date.clone(),
            published_at: date,
            author: SimpleUser::this_server(base),
            tarball_url: None,
            zipball_url: None,
            assets,
        }
    }
}

impl<'p> Asset<'p> {
    pub fn new(
        package: &'p Package,
        url: String,
        browser_download_url: String,
        count: &DownloadCount<'_>,
    ) -> Self {
        let name = package.name.as_str();
        let id = asset_id(name);
        let date = date::rfc3339(package.state.modified);
        Self {
            url,
            browser_download_url,
            id,
            node_id: node_id("ReleaseAsset", id),
            name,
            label: None,
            state: "uploaded",
            content_type: PACKAGE_CONTENT_TYPE,
            size: package.state.size,
            digest: package
                .sha256
                .map(|sha256| format!("sha256:{}", sha256.hex())),
            download_count: count(name),
            created_at: date.clone(),
            updated_at: date,
            uploader: None,
        }
    }
}
