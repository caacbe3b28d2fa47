//! Release objects: a client that reads the JSON finds every package of the listing, with URLs that
//! lead to it.
//!
//! Sources: docs/contract.md, section 2; RFC 8259; the invariants of `app::release` and
//! `storage::releases`.

use super::listing::of_names;
use percent_encoding::percent_decode_str;
use release_server::app::release::Release;
use release_server::app::repository::RepositoryUrls;
use release_server::app::router::Repository;
use release_server::storage::Package;
use serde_json::Value;
use std::collections::BTreeSet;

const BASE: &str = "https://releases.example.org/p";
const ID_MAX: u64 = 1 << 53;

/// Every property of releases. The first line is the repository's owner, each further line a
/// package's name.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let (owner, names) = text.split_once('\n').unwrap_or(("o", text));
    let listing = of_names(names.lines());
    let count = |name: &str| name.len() as u64;
    let packages: Vec<_> = listing.packages().iter().collect();
    let latest = Release::latest(&packages, BASE, &count);
    let latest = parsed(&serde_json::to_string(&latest).expect("JSON"));
    assert_eq!(latest["tag_name"], "latest");
    check_assets(
        &latest,
        listing.packages().iter().map(|package| &**package),
        &|_| "/assets/".to_owned(),
    );
    let repository = Repository {
        prefix: "/api/v3",
        owner,
        repo: "r%20x",
    };
    let Some(urls) = RepositoryUrls::new(BASE, repository) else {
        return;
    };
    let (mut ids, mut seen) = (BTreeSet::new(), 0);
    for release in listing.releases().all() {
        let object = parsed(&serde_json::to_string(&urls.release(release, &count)).expect("JSON"));
        assert_eq!(object["tag_name"], release.tag.as_str(), "{text:?}");
        assert_eq!(object["prerelease"], release.is_pre_release, "{text:?}");
        assert!(ids.insert(id(&object)), "{text:?}");
        let owner = percent_decode_str(owner).decode_utf8().expect("UTF-8");
        let place = |tag: &str| format!("/{owner}/r x/releases/download/{tag}/");
        check_assets(
            &object,
            release.packages.iter().map(|package| &**package),
            &place,
        );
        seen += release.packages.len();
    }
    assert_eq!(seen, listing.packages().len(), "{text:?}");
}

fn parsed(json: &str) -> Value {
    let object: Value = serde_json::from_str(json).expect("JSON");
    for name in ["url", "html_url", "assets_url", "upload_url"] {
        assert!(
            object[name].as_str().expect("a text").starts_with(BASE),
            "{json}"
        );
    }
    object
}

fn id(object: &Value) -> u64 {
    let id = object["id"].as_u64().expect("a number");
    assert!((1..ID_MAX).contains(&id), "{id}");
    id
}

/// The assets of an object are these packages in their order, and each URL leads to its package.
fn check_assets<'p>(
    object: &Value,
    packages: impl Iterator<Item = &'p Package>,
    place: &dyn Fn(&str) -> String,
) {
    let tag = object["tag_name"].as_str().expect("a text");
    let assets = object["assets"].as_array().expect("a list");
    let mut found = assets.iter();
    for package in packages {
        let asset = found.next().expect("an asset for each package");
        let name = package.name.as_str();
        assert_eq!(asset["name"], name);
        assert_eq!(asset["size"], package.state.size);
        assert_eq!(asset["download_count"], name.len());
        let url = asset["browser_download_url"].as_str().expect("a text");
        assert!(
            url.is_ascii() && !url.contains(['"', '<', '>', ' ', '#', '?', '\\']),
            "{url}"
        );
        let path = percent_decode_str(url.strip_prefix(BASE).expect("the base"));
        let path = path.decode_utf8().expect("UTF-8");
        assert_eq!(path, format!("{}{name}", place(tag)), "{url}");
        let digest = package
            .sha256
            .map(|sha256| format!("sha256:{}", sha256.hex()));
        assert_eq!(asset["digest"].as_str(), digest.as_deref(), "{name:?}");
        id(asset);
    }
    assert!(found.next().is_none(), "{tag:?}");
}
