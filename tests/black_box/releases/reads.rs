//! GitHub's API for reading: releases by version, pages, assets, conditional requests.

use crate::support::{Response, TestServer, hex};
use serde_json::{Value, json};

pub const API: &str = "/repos/github/spec-kit/releases";

/// A server with four releases; the newest package is of the lowest version.
pub fn populated() -> TestServer {
    let server = TestServer::start();
    let names = [
        "tool-v2.0.0-linux.zip",
        "tool-v2.0.0-darwin.zip",
        "tool-v10.0.0-rc.1-linux.zip",
        "README.md",
        "tool-v1.9.0-linux.zip",
    ];
    for name in names {
        assert_eq!(server.put(name, name.as_bytes()).status, 201);
    }
    server
}

fn tags(answer: &Response) -> Vec<String> {
    let releases = answer.json();
    let tag = |release: &Value| release["tag_name"].as_str().unwrap().to_owned();
    releases.as_array().unwrap().iter().map(tag).collect()
}

#[test]
fn packages_are_releases_by_the_version_in_their_names() {
    let server = populated();
    let list = server.get(API);
    assert_eq!(
        tags(&list),
        ["v10.0.0-rc.1", "v2.0.0", "v1.9.0", "unversioned"]
    );
    let releases = list.json();
    assert_eq!(releases[0]["prerelease"], true);
    assert_eq!(releases[1]["prerelease"], false);
    let assets = releases[1]["assets"].as_array().unwrap();
    let names: Vec<&Value> = assets.iter().map(|asset| &asset["name"]).collect();
    assert_eq!(names, ["tool-v2.0.0-darwin.zip", "tool-v2.0.0-linux.zip"]);
    let latest = server.get(&format!("{API}/latest")).json();
    assert_eq!(latest, releases[1]);
    let by_id = server.get(&format!("{API}/{}", latest["id"])).json();
    assert_eq!(by_id, latest);
    for tag in ["v2.0.0", "2.0.0"] {
        let tagged = server.get(&format!("{API}/tags/{tag}")).json();
        assert_eq!(tagged, latest, "{tag}");
    }
    let assets = server.get(&format!("{API}/{}/assets", latest["id"])).json();
    assert_eq!(assets, latest["assets"]);
    let asset = &assets[0];
    let one = server.get(&format!("{API}/assets/{}", asset["id"])).json();
    assert_eq!(one, *asset);
}

#[test]
fn without_a_final_version_there_is_no_latest() {
    let server = TestServer::start();
    let latest = format!("{API}/latest");
    server.get(&latest).assert_error(404, "Not Found");
    assert_eq!(server.get(API).json(), json!([]));
    for name in ["a.zip", "a-v1.0.0-rc.1.zip"] {
        server.put(name, b"1");
        server.get(&latest).assert_error(404, "Not Found");
    }
    server.put("a-v1.0.0.zip", b"1");
    assert_eq!(server.get(&latest).json()["tag_name"], "v1.0.0");
}

#[test]
fn a_missing_object_is_reported_in_githubs_words() {
    let server = populated();
    for path in [
        format!("{API}/tags/v9.9.9"),
        format!("{API}/tags/%FF"),
        format!("{API}/1"),
        format!("{API}/18446744073709551616"),
        format!("{API}/-1"),
        format!("{API}/1/assets"),
        format!("{API}/assets/1"),
        format!("{API}/assets/x"),
        "/o/r/releases/download/v1.9.0/tool-v2.0.0-linux.zip".to_owned(),
        "/o/r/releases/download/v2.0.0/none-v2.0.0.zip".to_owned(),
        "/latest/download/none-*".to_owned(),
        "/latest/download/%FF".to_owned(),
        "/api/v3/latest".to_owned(),
        "/api/v3/repos/o".to_owned(),
        "/repos//r/releases".to_owned(),
        "/repos/%FF/r/releases".to_owned(),
    ] {
        let answer = server.get(&path);
        answer.assert_error(404, "Not Found");
        let sentence = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(sentence.starts_with("Not Found"), "{path}: {sentence}");
    }
}

/// The relations in a `Link` header, each with its URL.
fn links(answer: &Response) -> Vec<(String, String)> {
    let Some(header) = answer.try_header("link") else {
        return Vec::new();
    };
    let link = |text: &str| {
        let (url, relation) = text.split_once(">; rel=\"").unwrap();
        let url = url.strip_prefix("<http://test").unwrap();
        (relation.trim_end_matches('"').to_owned(), url.to_owned())
    };
    header.split(", ").map(link).collect()
}

#[test]
fn lists_come_in_pages_that_lead_to_each_other() {
    let server = TestServer::start();
    for number in 1..=7 {
        server.put(&format!("a-1.0.{number}.zip"), b"1");
    }
    for prefix in ["", "/api/v3"] {
        let mut next = Some(format!("{prefix}{API}?per_page=3"));
        let mut seen = Vec::new();
        while let Some(path) = next {
            let answer = server.get(&path);
            seen.push(tags(&answer));
            let found = links(&answer).into_iter().find(|(name, _)| name == "next");
            next = found.map(|(_, url)| url);
            assert!(
                next.iter()
                    .all(|url| url.starts_with(&format!("{prefix}/repos/")))
            );
        }
        let expected: [&[&str]; 3] = [
            &["1.0.7", "1.0.6", "1.0.5"],
            &["1.0.4", "1.0.3", "1.0.2"],
            &["1.0.1"],
        ];
        assert_eq!(seen, expected);
    }
    let relations = |path: &str| {
        let links = links(&server.get(&format!("{API}{path}")));
        links.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(relations("?per_page=3"), ["next", "last"]);
    assert_eq!(
        relations("?per_page=3&page=2"),
        ["prev", "next", "last", "first"]
    );
    assert_eq!(relations("?per_page=3&page=3"), ["prev", "first"]);
    assert_eq!(relations("?per_page=3&page=99"), ["prev", "first"]);
    assert_eq!(relations(""), [""; 0]);
    assert_eq!(relations("?per_page=100000"), [""; 0]);
    assert_eq!(server.get(&format!("{API}?page=99")).json(), json!([]));
    let huge = format!("{API}?per_page=100&page={}", u64::MAX);
    assert_eq!(server.get(&huge).json(), json!([]));
    for query in [
        "page=0",
        "page=-1",
        "per_page=0",
        "per_page=x",
        "page=",
        "page=1.5",
    ] {
        let answer = server.get(&format!("{API}?{query}"));
        answer.assert_error(422, "a whole number from 1 on");
    }
}

#[test]
fn assets_come_in_pages_too() {
    let server = populated();
    let latest = server.get(&format!("{API}/latest")).json();
    let path = format!("{API}/{}/assets?per_page=1", latest["id"]);
    let first = server.get(&path);
    assert_eq!(first.json(), json!([latest["assets"][0]]));
    let second = server.get(&links(&first)[0].1);
    assert_eq!(second.json(), json!([latest["assets"][1]]));
}

#[test]
fn every_url_leads_where_it_says() {
    let server = populated();
    for (prefix, owner) in [("", "github"), ("/api/v3", "a%20b%22%3E"), ("", "%C3%A4")] {
        let path = format!("{prefix}/repos/{owner}/r/releases/latest");
        let release = server.get(&path).json();
        let api = format!("http://test{prefix}/repos/{owner}/r/releases");
        let path_of = |value: &Value| value.as_str().unwrap().replace("http://test", "");
        assert_eq!(release["url"], format!("{api}/{}", release["id"]));
        assert_eq!(server.get(&path_of(&release["url"])).json(), release);
        let assets = server.get(&path_of(&release["assets_url"]));
        assert_eq!(assets.json(), release["assets"]);
        let upload = release["upload_url"].as_str().unwrap();
        assert_eq!(
            upload,
            format!("{api}/{}/assets{{?name,label}}", release["id"])
        );
        assert_eq!(server.get(&path_of(&release["html_url"])).status, 200);
        for asset in release["assets"].as_array().unwrap() {
            assert_eq!(asset["url"], format!("{api}/assets/{}", asset["id"]));
            let bytes = "Accept: application/octet-stream\r\n";
            let by_id = server.request("GET", &path_of(&asset["url"]), bytes, b"");
            let by_name = server.get(&path_of(&asset["browser_download_url"]));
            assert_eq!(by_id.body, asset["name"].as_str().unwrap().as_bytes());
            assert_eq!(by_name.body, by_id.body);
            assert_eq!(asset["digest"], format!("sha256:{}", hex(&by_id.body)));
        }
    }
}

#[test]
fn accept_chooses_between_the_bytes_and_the_asset_object() {
    let server = populated();
    let release = server.get(&format!("{API}/latest")).json();
    let path = format!("{API}/assets/{}", release["assets"][0]["id"]);
    for (accept, is_bytes) in [
        ("application/octet-stream", true),
        ("application/octet-stream, */*", true),
        ("APPLICATION/OCTET-STREAM;q=0.5", true),
        ("application/json;q=0.1, application/octet-stream", true),
        (
            "application/vnd.github+json, application/octet-stream;q=0.9",
            false,
        ),
        ("application/octet-stream;q=0", false),
        ("application/vnd.github+json", false),
        ("application/vnd.github.v3+json", false),
        ("application/json", false),
        ("*/*", false),
        ("", false),
    ] {
        let answer = server.request("GET", &path, &format!("Accept: {accept}\r\n"), b"");
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("vary"), "Accept");
        let expected = if is_bytes {
            "application/octet-stream"
        } else {
            "application/json"
        };
        assert_eq!(answer.header("content-type"), expected, "{accept}");
    }
    for accept in [
        "application/vnd.github+json",
        "application/vnd.github.v3.raw+json",
        "*/*",
    ] {
        let answer = server.request("GET", API, &format!("Accept: {accept}\r\n"), b"");
        assert_eq!(
            answer.header("content-type"),
            "application/json",
            "{accept}"
        );
    }
    let part = "Accept: application/octet-stream\r\nRange: bytes=5-8\r\n";
    let part = server.request("GET", &path, part, b"");
    assert_eq!((part.status, part.text().as_str()), (206, "v2.0"));
}

#[test]
fn unchanged_answers_are_not_sent_again() {
    let server = populated();
    let release = server.get(&format!("{API}/latest")).json();
    let paths = [
        API.to_owned(),
        format!("{API}?per_page=1&page=2"),
        format!("{API}/latest"),
        format!("{API}/tags/v2.0.0"),
        format!("{API}/{}", release["id"]),
        format!("{API}/{}/assets", release["id"]),
        format!("{API}/assets/{}", release["assets"][0]["id"]),
        "/assets/SHA256SUMS".to_owned(),
        "/o/r/releases/download/v2.0.0/SHA256SUMS".to_owned(),
    ];
    for path in &paths {
        for path in [path.clone(), format!("/api/v3{path}")] {
            let answer = server.get(&path);
            if answer.status == 404 {
                assert!(!path.contains("/repos/"), "{path}");
                continue;
            }
            let same = format!("If-None-Match: {}\r\n", answer.header("etag"));
            assert_eq!(
                server.request("GET", &path, &same, b"").status,
                304,
                "{path}"
            );
        }
    }
    let list = server.get(API);
    let same = format!("If-None-Match: {}\r\n", list.header("etag"));
    server.put("tool-v3.0.0.zip", b"1");
    assert_eq!(server.request("GET", API, &same, b"").status, 200);
}

#[test]
fn ids_are_the_same_in_every_process() {
    let server = populated();
    let ids = |server: &TestServer| {
        let mut ids = Vec::new();
        for release in server.get(API).json().as_array().unwrap() {
            ids.push(release["id"].as_u64().unwrap());
            let assets = release["assets"].as_array().unwrap();
            ids.extend(assets.iter().map(|asset| asset["id"].as_u64().unwrap()));
        }
        ids
    };
    let first = ids(&server);
    assert!(
        first.iter().all(|id| (1..1 << 53).contains(id)),
        "{first:?}"
    );
    let other = TestServer::over(server.storage(), &[]);
    assert_eq!(ids(&other), first);
    // An overwritten package keeps its id, and a tag keeps its id if a name spells it with `v`.
    server.write("PUT", "/assets/README.md?overwrite=1", "", b"new");
    assert_eq!(ids(&server), first);
    let before = server.get(&format!("{API}/tags/v7.0.0")).status;
    assert_eq!(before, 404);
    server.put("tool-7.0.0.zip", b"1");
    let plain = server.get(&format!("{API}/tags/v7.0.0")).json();
    server.put("tool-v7.0.0.tar.gz", b"1");
    let with_v = server.get(&format!("{API}/tags/7.0.0")).json();
    assert_eq!(
        (&plain["tag_name"], &with_v["tag_name"]),
        (&"7.0.0".into(), &"v7.0.0".into())
    );
    assert_eq!(plain["id"], with_v["id"]);
    assert_eq!(with_v["assets"].as_array().unwrap().len(), 2);
}
