//! A repository of GitHub's API: its URLs, and the objects that describe it and its releases.
//!
//! Invariant: a repository may have any name, and an answer refers to the one that was requested;
//! its name appears in a URL only percent-encoded.
//!
//! Sources: docs/contract.md, section 2; GitHub's REST API, "Get a repository" and "List repository
//! tags".

use crate::app::release::{Asset, DownloadCount, Places, Release, segment};
use crate::app::router::Repository;
use crate::app::user::{SimpleUser, node_id};
use crate::http::target;
use crate::http::template::{MARKS, Values};
use crate::limits::REPOSITORY_NAME_BYTES_MAX;
use crate::storage::releases::{asset_id, stable_id};
use crate::storage::{self, Package};
use serde::Serialize;
use serde_json::{Value, json};

/// The URLs of a repository, whose name may be anything; answers refer to the repository that was
/// requested.
#[derive(Debug)]
pub struct RepositoryUrls {
    /// The base URL of this server.
    base: String,
    /// The URL of the repository's pages: `{base}/{owner}/{repo}`.
    pages: String,
    /// The URL of its releases in the API, with the prefix of the request.
    releases: String,
}

impl RepositoryUrls {
    /// The URLs in a text that is kept for every base and repository.
    pub fn marks() -> Self {
        let [base, pages, releases] = MARKS.map(str::to_owned);
        Self {
            base,
            pages,
            releases,
        }
    }

    /// The values of [`RepositoryUrls::marks`] for these URLs.
    pub fn values(&self) -> Values {
        [&self.base, &self.pages, &self.releases]
            .map(|url| url.as_str().into())
            .into()
    }

    /// The URLs of a repository for a client that reaches the server by `base`; `None` if a name is
    /// not UTF-8 or too long.
    pub fn new(base: &str, repository: Repository<'_>) -> Option<Self> {
        let encoded = |segment| {
            let name = target::decode_segment(segment)?;
            if name.len() > REPOSITORY_NAME_BYTES_MAX {
                return None;
            }
            Some(self::segment(&name).to_string())
        };
        let (owner, repo) = (encoded(repository.owner)?, encoded(repository.repo)?);
        let path = format!("/{owner}/{repo}");
        Some(Self {
            base: base.to_owned(),
            releases: format!("{base}{}/repos{path}/releases", repository.prefix),
            pages: format!("{base}{path}"),
        })
    }

    /// The URL of its releases in the API.
    pub fn releases(&self) -> &str {
        &self.releases
    }

    pub fn release<'p>(
        &self,
        release: &'p storage::Release,
        count: &DownloadCount<'_>,
    ) -> Release<'p> {
        let url = format!("{}/{}", self.releases, release.id);
        let places = Places {
            html_url: self.page(&release.tag),
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

    /// The URL of a release's page.
    pub fn page(&self, tag: &str) -> String {
        format!("{}/releases/tag/{}", self.pages, segment(tag))
    }

    /// The asset object of a package; `tag` is that of its release.
    pub fn asset<'p>(
        &self,
        package: &'p Package,
        tag: &str,
        count: &DownloadCount<'_>,
    ) -> Asset<'p> {
        let id = asset_id(package.name.as_str());
        let (tag, name) = (segment(tag), segment(package.name.as_str()));
        let page = format!("{}/releases/download/{tag}/{name}", self.pages);
        Asset::new(
            package,
            format!("{}/assets/{id}", self.releases),
            page,
            count,
        )
    }
}

/// The repository object of GitHub's API.
pub fn object(repository: Repository<'_>, base: &str) -> Option<Value> {
    let urls = RepositoryUrls::new(base, repository)?;
    let owner = target::decode_segment(repository.owner)?;
    let name = target::decode_segment(repository.repo)?;
    let full_name = format!("{owner}/{name}");
    let id = stable_id("repository", &full_name);
    let url = urls.releases.trim_end_matches("/releases");
    Some(json!({
        "id": id,
        "node_id": node_id("Repository", id),
        "name": name,
        "full_name": full_name,
        "private": false,
        "visibility": "public",
        "owner": SimpleUser::new(&owner, base),
        "html_url": format!("{base}/packages"),
        "description": null,
        "fork": false,
        "archived": false,
        "disabled": false,
        "default_branch": "main",
        "url": url,
        "releases_url": format!("{url}/releases{{/id}}"),
        "tags_url": format!("{url}/tags"),
    }))
}

/// A tag object of GitHub's API.
#[derive(Debug, Serialize)]
pub struct Tag<'r> {
    name: &'r str,
    commit: Commit,
    zipball_url: String,
    tarball_url: String,
    node_id: String,
}

#[derive(Debug, Serialize)]
struct Commit {
    sha: &'static str,
    url: String,
}

impl<'r> Tag<'r> {
    /// There is no repository behind a release: the commit is git's null id, and the archives'
    /// URLs are that of the release's page.
    pub fn new(release: &'r storage::Release, urls: &RepositoryUrls) -> Self {
        let page = urls.page(&release.tag);
        Self {
            name: &release.tag,
            commit: Commit {
                sha: "0000000000000000000000000000000000000000",
                url: page.clone(),
            },
            zipball_url: page.clone(),
            tarball_url: page,
            node_id: node_id("Ref", release.id),
        }
    }
}
