//! The routes: the one match on a path, and the methods that each endpoint knows.
//!
//! Invariants: `Allow` is made from the table that decides; `openapi.yaml` has the same paths with the same methods
//! (`tests/black_box/contract.rs` checks it in both directions).
//!
//! Source: the project's contract, section 1.

use tiny_http::Method;

/// Everything that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The redirect to the package page.
    Root,
    /// The release object that the `specify` CLI reads.
    Latest,
    /// The list of packages.
    Packages,
    /// One package, or its checksum.
    Asset,
    /// Publishing by form.
    Upload,
    /// Whether the process answers.
    Healthz,
    /// The same in the Python server's words.
    Health,
    /// Whether requests should be sent here.
    Readyz,
    /// Numbers for Prometheus.
    Metrics,
    /// The contract, in YAML.
    ContractYaml,
    /// The contract, in JSON.
    ContractJson,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 11] = [
        Self::Root,
        Self::Latest,
        Self::Packages,
        Self::Asset,
        Self::Upload,
        Self::Healthz,
        Self::Health,
        Self::Readyz,
        Self::Metrics,
        Self::ContractYaml,
        Self::ContractJson,
    ];

    /// Its path, as the contract and the metrics write it.
    pub fn pattern(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Latest => "/latest",
            Self::Packages => "/packages",
            Self::Asset => "/assets/{filename}",
            Self::Upload => "/upload",
            Self::Healthz => "/healthz",
            Self::Health => "/health",
            Self::Readyz => "/readyz",
            Self::Metrics => "/metrics",
            Self::ContractYaml => "/openapi.yaml",
            Self::ContractJson => "/openapi.json",
        }
    }

    /// Its methods, as `Allow` writes them.
    pub fn allow(self) -> &'static str {
        match self {
            Self::Asset => "GET, HEAD, PUT, DELETE",
            Self::Upload => "POST",
            _ => "GET, HEAD",
        }
    }

    /// Whether it knows the method.
    pub fn allows(self, method: &Method) -> bool {
        self.allow()
            .split(", ")
            .any(|known| known == method.as_str())
    }
}

/// Where a path leads: an endpoint, and the file name in it, still encoded.
pub fn route(path: &str) -> Option<(Endpoint, &str)> {
    let mut segments = path.strip_prefix('/')?.split('/');
    let (first, second, third) = (segments.next()?, segments.next(), segments.next());
    let endpoint = match (first, second, third) {
        ("assets", Some(name), None) if !name.is_empty() => return Some((Endpoint::Asset, name)),
        (_, Some(_), _) => return None,
        ("", None, _) => Endpoint::Root,
        ("latest", None, _) => Endpoint::Latest,
        ("packages", None, _) => Endpoint::Packages,
        ("upload", None, _) => Endpoint::Upload,
        ("healthz", None, _) => Endpoint::Healthz,
        ("health", None, _) => Endpoint::Health,
        ("readyz", None, _) => Endpoint::Readyz,
        ("metrics", None, _) => Endpoint::Metrics,
        ("openapi.yaml", None, _) => Endpoint::ContractYaml,
        ("openapi.json", None, _) => Endpoint::ContractJson,
        _ => return None,
    };
    Some((endpoint, ""))
}
