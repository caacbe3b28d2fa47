//! The JSON objects of answers: package metadata, and releases as GitHub describes them.
//!
//! Invariants: every field that a strictly typed GitHub client needs is present with a value of its
//! type; dates are valid even without packages; a repository's name appears in a URL only
//! percent-encoded.
//!
//! Sources: docs/contract.md, sections 1 and 2; GitHub's REST API, "Releases" and "Simple User".

use crate::app::router::Repository;
use crate::date;
use crate::http::target;
use crate::storage::releases::{asset_id, stable_id};
use crate::storage::{self, Listing, Package};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::time::UNIX_EPOCH;

/// The media type of every package.
pub const PACKAGE_CONTENT_TYPE: &str = "application/octet-stream";

/// Every character except the unreserved ones of RFC 3986, section 2.3.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

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
    let name = utf8_percent_encode(package.name.as_str(), PATH_SEGMENT);
    format!("{base}/assets/{name}")
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
    prerelease: bool,
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

/// A user object of GitHub's API.
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

/// Returns the download count of the package with this name.
pub type DownloadCount<'c> = dyn Fn(&str) -> u64 + 'c;

/// The URLs of a release.
struct Places {
    url: String,
    html_url: String,
    assets_url: String,
    upload_url: String,
}

/// The URLs of a repository, whose name may be anything; answers refer to the repository that was
/// requested.
#[derive(Debug)]
pub struct RepositoryUrls {
    /// The base URL of this server.
    base: String,
    /// The path of the repository's pages: `/{owner}/{repo}`.
    path: String,
    /// The URL of its releases in the API, with the prefix of the request.
    releases: String,
}

impl RepositoryUrls {
    /// The URLs of a repository for a client that reaches the server by `base`; `None` if a name is
    /// not UTF-8.
    pub fn new(base: &str, repository: Repository<'_>) -> Option<Self> {
        let encoded = |segment| {
            let name = target::decode_segment(segment)?;
            Some(utf8_percent_encode(&name, PATH_SEGMENT).to_string())
        };
        let (owner, repo) = (encoded(repository.owner)?, encoded(repository.repo)?);
        let path = format!("/{owner}/{repo}");
        Some(Self {
            base: base.to_owned(),
            releases: format!("{base}{}/repos{path}/releases", repository.prefix),
            path,
        })
    }

    /// The URL of its releases in the API.
    pub fn releases(&self) -> &str {
        &self.releases
    }

    /// A key that is unique to this base and repository.
    pub fn key(&self) -> String {
        format!("{} {}", self.base, self.releases)
    }

    pub fn release<'p>(
        &self,
        release: &'p storage::Release,
        count: &DownloadCount<'_>,
    ) -> Release<'p> {
        let url = format!("{}/{}", self.releases, release.id);
        let places = Places {
            html_url: format!("{}/packages", self.base),
            assets_url: format!("{url}/assets"),
            upload_url: format!("{url}/assets{{?name,label}}"),
            url,
        };
        let assets = release.packages.iter();
        let assets = assets.map(|package| self.asset(package, &release.tag, count));
        let mut object = Release::new(
            release.id,
            &release.tag,
            places,
            &self.base,
            assets.collect(),
        );
        object.prerelease = release.is_pre_release;
        object
    }

    /// The asset object of a package; `tag` is that of its release.
    pub fn asset<'p>(
        &self,
        package: &'p Package,
        tag: &str,
        count: &DownloadCount<'_>,
    ) -> Asset<'p> {
        let id = asset_id(package.name.as_str());
        let tag = utf8_percent_encode(tag, PATH_SEGMENT);
        let name = utf8_percent_encode(package.name.as_str(), PATH_SEGMENT);
        let page = format!("{}{}/releases/download/{tag}/{name}", self.base, self.path);
        Asset::new(
            package,
            format!("{}/assets/{id}", self.releases),
            page,
            count,
        )
    }
}

impl<'p> Release<'p> {
    /// The flat release `latest`: every package, newest first.
    pub fn latest(listing: &'p Listing, base: &str, count: &DownloadCount<'_>) -> Self {
        let places = Places {
            url: format!("{base}/latest"),
            html_url: format!("{base}/packages"),
            assets_url: format!("{base}/packages?format=json"),
            upload_url: format!("{base}/upload"),
        };
        let assets = listing.packages().iter().map(|package| {
            let url = download_url(package, base);
            Asset::new(package, url.clone(), url, count)
        });
        let id = stable_id("release", "latest");
        Self::new(id, "latest", places, base, assets.collect())
    }

    fn new(id: u64, tag: &'p str, places: Places, base: &str, assets: Vec<Asset<'p>>) -> Self {
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
    fn new(
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

impl SimpleUser {
    /// The author of every release. There are no accounts: all its URLs lead to the package page.
    fn this_server(base: &str) -> Self {
        let login = "release-server";
        let id = stable_id("user", login);
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

fn node_id(kind: &str, id: u64) -> String {
    BASE64_STANDARD.encode(format!("{kind}:{id}"))
}
