//! The routes: the one match on a path, and the methods of each endpoint.
//!
//! Invariants: `Allow` comes from the table that decides; `openapi.yaml` has the same paths with
//! the same methods (`tests/black_box/contract/document.rs` checks both directions).
//!
//! Source: docs/contract.md, section 1.

use tiny_http::Method;

/// Every endpoint of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The redirect to the package page.
    Root,
    /// The release object that the `specify` CLI reads.
    Latest,
    /// The list of packages.
    Packages,
    /// The catalog of all kinds of packages.
    Catalog,
    /// The catalog of one kind.
    CatalogOfKind,
    /// One package, or its checksum.
    Asset,
    /// One file of a step package.
    StepFile,
    /// The redirect to the newest package that matches a pattern.
    LatestDownload,
    /// Publishing by form.
    Upload,
    /// The releases by version.
    Releases,
    /// The release of the highest version.
    LatestRelease,
    /// The release with a tag.
    TaggedRelease,
    /// The release with an id.
    Release,
    /// The packages of a release.
    ReleaseAssets,
    /// One package, by its id.
    ReleaseAsset,
    /// One package of a tag, by its name.
    ReleaseDownload,
    /// The repository itself.
    Repository,
    /// The tags of all releases.
    Tags,
    /// The root of GitHub's API.
    ApiRoot,
    /// The redirect to the page of the release of the highest version.
    LatestPage,
    /// The page of a release.
    ReleasePage,
    /// One package of the release of the highest version, by its name.
    LatestReleaseDownload,
    /// The feed of releases.
    Feed,
    /// The redirects to the paths without a slash at the end.
    LatestSlash,
    PackagesSlash,
    /// Liveness of the process.
    Healthz,
    /// Liveness in the form of the Python server.
    Health,
    /// Readiness for requests.
    Readyz,
    /// Metrics for Prometheus.
    Metrics,
    /// The contract in YAML.
    ContractYaml,
    /// The contract in JSON.
    ContractJson,
}

impl Endpoint {
    pub const ALL: [Self; 31] = [
        Self::Root,
        Self::Latest,
        Self::Packages,
        Self::Catalog,
        Self::CatalogOfKind,
        Self::Asset,
        Self::StepFile,
        Self::LatestDownload,
        Self::Upload,
        Self::Releases,
        Self::LatestRelease,
        Self::TaggedRelease,
        Self::Release,
        Self::ReleaseAssets,
        Self::ReleaseAsset,
        Self::ReleaseDownload,
        Self::Repository,
        Self::Tags,
        Self::ApiRoot,
        Self::LatestPage,
        Self::ReleasePage,
        Self::LatestReleaseDownload,
        Self::Feed,
        Self::LatestSlash,
        Self::PackagesSlash,
        Self::Healthz,
        Self::Health,
        Self::Readyz,
        Self::Metrics,
        Self::ContractYaml,
        Self::ContractJson,
    ];

    /// The path, as the contract and the metrics write it.
    pub fn pattern(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Latest => "/latest",
            Self::Packages => "/packages",
            Self::Catalog => "/catalog.json",
            Self::CatalogOfKind => "/catalogs/{kind}.json",
            Self::Asset => "/assets/{filename}",
            Self::StepFile => "/assets/{filename}/{path}",
            Self::LatestDownload => "/latest/download/{pattern}",
            Self::Upload => "/upload",
            Self::Releases => "/repos/{owner}/{repo}/releases",
            Self::LatestRelease => "/repos/{owner}/{repo}/releases/latest",
            Self::TaggedRelease => "/repos/{owner}/{repo}/releases/tags/{tag}",
            Self::Release => "/repos/{owner}/{repo}/releases/{id}",
            Self::ReleaseAssets => "/repos/{owner}/{repo}/releases/{id}/assets",
            Self::ReleaseAsset => "/repos/{owner}/{repo}/releases/assets/{id}",
            Self::ReleaseDownload => "/{owner}/{repo}/releases/download/{tag}/{filename}",
            Self::Repository => "/repos/{owner}/{repo}",
            Self::Tags => "/repos/{owner}/{repo}/tags",
            Self::ApiRoot => "/api/v3",
            Self::LatestPage => "/{owner}/{repo}/releases/latest",
            Self::ReleasePage => "/{owner}/{repo}/releases/tag/{tag}",
            Self::LatestReleaseDownload => "/{owner}/{repo}/releases/latest/download/{filename}",
            Self::Feed => "/releases.atom",
            Self::LatestSlash => "/latest/",
            Self::PackagesSlash => "/packages/",
            Self::Healthz => "/healthz",
            Self::Health => "/health",
            Self::Readyz => "/readyz",
            Self::Metrics => "/metrics",
            Self::ContractYaml => "/openapi.yaml",
            Self::ContractJson => "/openapi.json",
        }
    }

    /// The methods, as `Allow` writes them.
    pub fn allow(self) -> &'static str {
        match self {
            Self::Asset => "GET, HEAD, PUT, DELETE",
            Self::Upload => "POST",
            Self::Releases | Self::ReleaseAssets => "GET, HEAD, POST",
            Self::Release | Self::ReleaseAsset => "GET, HEAD, PATCH, DELETE",
            _ => "GET, HEAD",
        }
    }

    pub fn allows(self, method: &Method) -> bool {
        let allowed = self.allow();
        match method {
            // Nearly all requests.
            Method::Get | Method::Head => allowed.starts_with("GET, HEAD"),
            _ => allowed.split(", ").any(|known| known == method.as_str()),
        }
    }
}

/// The result of resolving a path. Parts of the path are still percent-encoded; absent parts are
/// empty.
#[derive(Clone, Copy, Debug)]
pub struct Route<'p> {
    pub endpoint: Endpoint,
    /// A file name, a pattern or an id.
    pub name: &'p str,
    /// The tag of a release.
    pub tag: &'p str,
    /// The repository, whose name may be anything.
    pub repository: Repository<'p>,
}

/// The repository that a GitHub client names: there is one set of packages, whatever the name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Repository<'p> {
    /// The prefix of the path: `/api/v3`, as with GitHub Enterprise, or empty.
    pub prefix: &'p str,
    pub owner: &'p str,
    pub repo: &'p str,
}

/// The largest number of segments in a path.
const SEGMENTS_MAX: usize = 6;

/// Resolves the paths of catalogs, and of what they lead to.
fn catalogs(path: &str) -> Option<Route<'_>> {
    let kind = path
        .strip_prefix("/catalogs/")
        .and_then(|name| name.strip_suffix(".json"));
    let file = path
        .strip_prefix("/assets/")
        .filter(|path| path.contains('/'));
    let (endpoint, name) = match (path, kind, file) {
        ("/catalog.json", ..) => (Endpoint::Catalog, ""),
        (_, Some(kind), _) => (Endpoint::CatalogOfKind, kind),
        (_, _, Some(file)) if file.split('/').all(|segment| !segment.is_empty()) => {
            (Endpoint::StepFile, file)
        }
        _ => return None,
    };
    Some(Route {
        endpoint,
        name,
        tag: "",
        repository: Repository::default(),
    })
}

/// Resolves a path.
pub fn route(path: &str) -> Option<Route<'_>> {
    let (prefix, rest) = match path.split_at_checked("/api/v3".len()) {
        Some(("/api/v3", rest)) if rest.starts_with("/repos/") => ("/api/v3", rest),
        _ => ("", path),
    };
    if cfg!(feature = "catalogs")
        && let Some(route) = catalogs(path)
    {
        return Some(route);
    }
    let mut segments = [""; SEGMENTS_MAX];
    let mut count = 0;
    for segment in rest.strip_prefix('/')?.split('/') {
        *segments.get_mut(count)? = segment;
        count += 1;
    }
    let segments = &segments[..count];
    let redirected = matches!(segments, ["latest" | "packages", ""]);
    if count > 1 && segments.contains(&"") && !redirected {
        return None;
    }
    let plain = |endpoint, name| {
        Some(Route {
            endpoint,
            name,
            tag: "",
            repository: Repository::default(),
        })
    };
    match *segments {
        [""] => plain(Endpoint::Root, ""),
        ["latest"] => plain(Endpoint::Latest, ""),
        ["packages"] => plain(Endpoint::Packages, ""),
        ["upload"] => plain(Endpoint::Upload, ""),
        ["healthz"] => plain(Endpoint::Healthz, ""),
        ["health"] => plain(Endpoint::Health, ""),
        ["readyz"] => plain(Endpoint::Readyz, ""),
        ["metrics"] => plain(Endpoint::Metrics, ""),
        ["openapi.yaml"] => plain(Endpoint::ContractYaml, ""),
        ["openapi.json"] => plain(Endpoint::ContractJson, ""),
        ["latest", ""] => plain(Endpoint::LatestSlash, ""),
        ["packages", ""] => plain(Endpoint::PackagesSlash, ""),
        ["releases.atom"] => plain(Endpoint::Feed, ""),
        ["api", "v3"] => plain(Endpoint::ApiRoot, ""),
        ["assets", name] => plain(Endpoint::Asset, name),
        ["latest", "download", name] => plain(Endpoint::LatestDownload, name),
        _ => of_repository(prefix, segments),
    }
}

/// Resolves a path that names a repository.
fn of_repository<'p>(prefix: &'p str, segments: &[&'p str]) -> Option<Route<'p>> {
    let (endpoint, name, tag, owner, repo) = match *segments {
        ["repos", owner, repo] => (Endpoint::Repository, "", "", owner, repo),
        ["repos", owner, repo, "tags"] => (Endpoint::Tags, "", "", owner, repo),
        ["repos", owner, repo, "releases"] => (Endpoint::Releases, "", "", owner, repo),
        ["repos", owner, repo, "releases", "latest"] => {
            (Endpoint::LatestRelease, "", "", owner, repo)
        }
        ["repos", owner, repo, "releases", "tags", tag] => {
            (Endpoint::TaggedRelease, "", tag, owner, repo)
        }
        ["repos", owner, repo, "releases", "assets", id] => {
            (Endpoint::ReleaseAsset, id, "", owner, repo)
        }
        ["repos", owner, repo, "releases", id, "assets"] => {
            (Endpoint::ReleaseAssets, id, "", owner, repo)
        }
        ["repos", owner, repo, "releases", id] => (Endpoint::Release, id, "", owner, repo),
        [owner, repo, "releases", "download", tag, name] => {
            (Endpoint::ReleaseDownload, name, tag, owner, repo)
        }
        [owner, repo, "releases", "latest"] => (Endpoint::LatestPage, "", "", owner, repo),
        [owner, repo, "releases", "tag", tag] => (Endpoint::ReleasePage, "", tag, owner, repo),
        [owner, repo, "releases", "latest", "download", name] => {
            (Endpoint::LatestReleaseDownload, name, "", owner, repo)
        }
        _ => return None,
    };
    let repository = Repository {
        prefix,
        owner,
        repo,
    };
    Some(Route {
        endpoint,
        name,
        tag,
        repository,
    })
}
