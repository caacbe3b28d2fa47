//! The JSON objects of answers: package metadata, and releases as GitHub describes them.
//!
//! Invariants: every field that a strictly typed GitHub client needs is there, with a value of its type; ids are positive,
//! below 2^53 and the same after a restart; dates are valid even with no package.
//!
//! Sources: the project's contract, sections 1 and 2; GitHub's REST API, "Releases" and "Simple User".

use crate::date;
use crate::storage::{Listing, Package};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::UNIX_EPOCH;

/// The media type that every package is served as.
pub const PACKAGE_CONTENT_TYPE: &str = "application/octet-stream";

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a publish answers and the JSON list holds.
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

/// Where a package is downloaded.
pub fn download_url(package: &Package, base: &str) -> String {
    let name = utf8_percent_encode(package.name.as_str(), PATH_SEGMENT);
    format!("{base}/assets/{name}")
}

/// A release, in GitHub's words.
#[derive(Debug, Serialize)]
pub struct Release<'p> {
    url: String,
    html_url: String,
    assets_url: String,
    upload_url: String,
    id: u64,
    node_id: String,
    tag_name: &'static str,
    target_commitish: &'static str,
    name: &'static str,
    body: &'static str,
    draft: bool,
    prerelease: bool,
    immutable: bool,
    created_at: String,
    published_at: String,
    author: SimpleUser,
    tarball_url: Option<String>,
    zipball_url: Option<String>,
    assets: Vec<Asset<'p>>,
}

/// A file of a release, in GitHub's words.
#[derive(Debug, Serialize)]
struct Asset<'p> {
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

/// An account, in GitHub's words.
#[derive(Debug, Serialize)]
struct SimpleUser {
    login: &'static str,
    id: u64,
    node_id: String,
    avatar_url: String,
    gravatar_id: &'static str,
    url: String,
    html_url: String,
    followers_url: String,
    following_url: String,
    gists_url: String,
    starred_url: String,
    subscriptions_url: String,
    organizations_url: String,
    repos_url: String,
    events_url: String,
    received_events_url: String,
    #[serde(rename = "type")]
    kind: &'static str,
    site_admin: bool,
    user_view_type: &'static str,
}

impl<'p> Release<'p> {
    /// The flat release `latest`: every package, newest first.
    pub fn latest(listing: &'p Listing, base: &str) -> Self {
        let newest = listing.packages().first();
        let date = date::rfc3339(newest.map_or(UNIX_EPOCH, |package| package.state.modified));
        let id = id_of("release", "latest");
        Self {
            url: format!("{base}/latest"),
            html_url: format!("{base}/packages"),
            assets_url: format!("{base}/packages?format=json"),
            upload_url: format!("{base}/upload"),
            id,
            node_id: node_id("Release", id),
            tag_name: "latest",
            target_commitish: "main",
            name: "latest",
            body: "",
            draft: false,
            prerelease: false,
            immutable: false,
            created_at: date.clone(),
            published_at: date,
            author: SimpleUser::this_server(base),
            tarball_url: None,
            zipball_url: None,
            assets: listing
                .packages()
                .iter()
                .map(|package| Asset::new(package, base))
                .collect(),
        }
    }
}

impl<'p> Asset<'p> {
    fn new(package: &'p Package, base: &str) -> Self {
        let id = id_of("asset", package.name.as_str());
        let url = download_url(package, base);
        let date = date::rfc3339(package.state.modified);
        Self {
            browser_download_url: url.clone(),
            url,
            id,
            node_id: node_id("ReleaseAsset", id),
            name: package.name.as_str(),
            label: None,
            state: "uploaded",
            content_type: PACKAGE_CONTENT_TYPE,
            size: package.state.size,
            digest: package
                .sha256
                .map(|sha256| format!("sha256:{}", sha256.hex())),
            download_count: 0,
            created_at: date.clone(),
            updated_at: date,
            uploader: None,
        }
    }
}

impl SimpleUser {
    /// The one author of everything here. There are no accounts: all its URLs lead to the package page.
    fn this_server(base: &str) -> Self {
        let login = "release-server";
        let id = id_of("user", login);
        let page = || format!("{base}/packages");
        Self {
            login,
            id,
            node_id: node_id("Bot", id),
            avatar_url: page(),
            gravatar_id: "",
            url: page(),
            html_url: page(),
            followers_url: page(),
            following_url: page(),
            gists_url: page(),
            starred_url: page(),
            subscriptions_url: page(),
            organizations_url: page(),
            repos_url: page(),
            events_url: page(),
            received_events_url: page(),
            kind: "Bot",
            site_admin: false,
            user_view_type: "public",
        }
    }
}

/// A number for a thing, from its kind and name alone: 1 to 2^53 - 1, which JavaScript reads exactly.
fn id_of(kind: &str, name: &str) -> u64 {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(kind)
        .chain_update(":")
        .chain_update(name)
        .finalize()
        .into();
    let number = hash[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    (number >> 11).max(1)
}

fn node_id(kind: &str, id: u64) -> String {
    BASE64_STANDARD.encode(format!("{kind}:{id}"))
}
