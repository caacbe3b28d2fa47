//! The addresses of GitHub's website, the feed, the order of `latest_by`, and lists by words.

use super::reads::populated;
use crate::support::TestServer;

#[test]
fn the_latest_release_is_found_by_its_redirect() {
    let server = populated();
    let answer = server.get("/o/r/releases/latest");
    assert_eq!(answer.status, 302);
    let page = answer.header("location").to_owned();
    assert_eq!(page, "/o/r/releases/tag/v2.0.0");
    let text = server.get(&page).text();
    assert!(text.contains("<h1>v2.0.0</h1>"), "{text}");
    assert!(
        text.contains("href=\"../../../../assets/tool-v2.0.0-linux.zip\""),
        "{text}"
    );
    let file = server.get("/o/r/releases/latest/download/tool-v2.0.0-linux.zip");
    assert_eq!(file.text(), "tool-v2.0.0-linux.zip");
    for path in [
        "/o/r/releases/latest/download/README.md",
        "/o/r/releases/tag/v9.9.9",
    ] {
        server.get(path).assert_error(404, "Not Found");
    }
    let release = server.get("/repos/o/r/releases/latest").json();
    let html_url = release["html_url"].as_str().unwrap();
    assert!(html_url.ends_with("/o/r/releases/tag/v2.0.0"), "{html_url}");
}

#[test]
fn a_repository_and_its_tags_are_described() {
    let server = populated();
    let repository = server.get("/repos/o%20x/r").json();
    assert_eq!(repository["full_name"], "o x/r");
    assert_eq!(repository["owner"]["login"], "o x");
    let tags = server.get("/api/v3/repos/o/r/tags?per_page=1");
    assert_eq!(tags.json().as_array().unwrap().len(), 1);
    assert!(
        tags.header("link")
            .contains("/api/v3/repos/o/r/tags?per_page=1&page=2>; rel=\"next\"")
    );
    let root = server.get("/api/v3").json();
    let url = root["repository_url"].as_str().unwrap();
    assert!(url.ends_with("/api/v3/repos/{owner}/{repo}"), "{url}");
}

#[test]
fn the_feed_lists_releases() {
    let server = populated();
    let feed = server.get("/releases.atom");
    assert_eq!(
        feed.header("content-type"),
        "application/atom+xml; charset=utf-8"
    );
    let text = feed.text();
    assert!(text.contains("<title>v2.0.0</title>"), "{text}");
    assert!(
        text.contains("&lt;li&gt;tool-v2.0.0-linux.zip&lt;/li&gt;"),
        "{text}"
    );
}

/// Published in this order: a backport and a pre-release after the highest version.
const PUBLISHED: [&str; 5] = [
    "tool-v1.2.0.zip",
    "notes.txt",
    "tool-v1.1.9.zip",
    "tool-v2.0.0-rc.1.zip",
    "tool-v1.10.0+build.1.zip",
];

fn names(list: &serde_json::Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|package| package["name"].as_str().unwrap())
        .collect()
}

#[test]
fn latest_is_the_last_published_or_the_highest_version() {
    let by_time = TestServer::start();
    for name in PUBLISHED {
        assert_eq!(by_time.put(name, b"x").status, 201);
    }
    let by_version = TestServer::over(by_time.storage(), &[("LATEST_BY", "version")]);
    let ordered = [
        "tool-v1.10.0+build.1.zip",
        "tool-v1.2.0.zip",
        "tool-v1.1.9.zip",
        "tool-v2.0.0-rc.1.zip",
        "notes.txt",
    ];
    assert_eq!(names(&by_version.get("/latest").json()["assets"]), ordered);
    assert_eq!(
        names(&by_version.get("/packages?format=json").json()),
        ordered
    );
    let link = |server: &TestServer| {
        let answer = server.get("/latest/download/tool-*.zip");
        answer.header("location").to_owned()
    };
    assert_eq!(link(&by_version), "/assets/tool-v1.10.0+build.1.zip");
    let page = by_version.get("/packages").text();
    let places = ordered.map(|name| page.find(&format!(">{name}<")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(
        by_version.get("/assets/tool-v1.10.0+build.1.zip").status,
        200
    );
}

#[test]
fn the_list_comes_by_words_and_in_pages() {
    let server = TestServer::start();
    for name in PUBLISHED {
        assert_eq!(server.put(name, b"x").status, 201);
    }
    let get = |query: &str| server.get(&format!("/packages?format=json&{query}"));
    assert_eq!(names(&get("q=TOOL+1.1").json()).len(), 2);
    assert_eq!(names(&get("other=1").json()).len(), 5);
    let first = get("q=tool&per_page=3");
    assert_eq!(names(&first.json()).len(), 3);
    let link = first.header("link");
    assert!(
        link.contains("per_page=3&page=2&q=tool&format=json>; rel=\"next\""),
        "{link}"
    );
    assert_eq!(names(&get("q=tool&per_page=3&page=2").json()).len(), 1);
    assert_eq!(get("per_page=3&page=9").json(), serde_json::json!([]));
    get("page=0").assert_error(422, "'page'");
    get(&format!("q={}", "x".repeat(241))).assert_error(422, "'q'");
    let page = server.get("/packages?q=notes&per_page=1").text();
    assert!(
        page.contains("notes.txt") && !page.contains("tool-v1.2.0.zip"),
        "{page}"
    );
    let second = server.get("/packages?per_page=2&page=2").text();
    assert!(
        second.contains("Previous page") && second.contains("Next page"),
        "{second}"
    );
}
