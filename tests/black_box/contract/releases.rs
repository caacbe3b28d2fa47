//! The part of `answers.rs` that acts like GitHub's clients.

use super::answers::Asker;
use super::forbidden;
use crate::support::TOKEN;
use release_server::storage::releases::{asset_id, release_id};

/// Any repository name does.
pub const REPOSITORY: &str = "/repos/github/spec-kit/releases";

pub fn upload_of(name: &str) -> String {
    let id = release_id("unversioned");
    format!("{REPOSITORY}/{id}/assets?name={name}")
}

pub fn read_releases(asker: &mut Asker<'_>) {
    let (release, asset) = (release_id("v1.2.3"), asset_id("b-v1.2.3.zip"));
    asker.ask(201, "PUT /assets/b-v1.2.3.zip?overwrite=1", "", &[8; 50]);
    let compared = [
        REPOSITORY.to_owned(),
        format!("{REPOSITORY}?per_page=1&page=2"),
        format!("{REPOSITORY}/latest"),
        format!("{REPOSITORY}/tags/v1.2.3"),
        format!("{REPOSITORY}/{release}"),
        format!("{REPOSITORY}/{release}/assets"),
        format!("{REPOSITORY}/assets/{asset}"),
        "/github/spec-kit/releases/download/v1.2.3/b-v1.2.3.zip".to_owned(),
        "/github/spec-kit/releases/latest/download/b-v1.2.3.zip".to_owned(),
        "/github/spec-kit/releases/tag/v1.2.3".to_owned(),
        "/repos/github/spec-kit".to_owned(),
        "/repos/github/spec-kit/tags".to_owned(),
    ];
    for method in ["GET", "HEAD"] {
        for target in &compared {
            let request = format!("{method} {target}");
            let found = asker.ask(200, &request, "", b"");
            let same = format!("If-None-Match: {}\r\n", found.header("etag"));
            asker.ask(304, &request, &same, b"");
            asker.ask(412, &request, "If-Match: \"other\"\r\n", b"");
        }
        for target in ["", "/1/assets"] {
            asker.ask(
                422,
                &format!("{method} {REPOSITORY}{target}?page=0"),
                "",
                b"",
            );
        }
        missing(asker, method);
        let download = "/github/spec-kit/releases/download";
        let lists = [
            format!("{download}/v1.2.3/SHA256SUMS"),
            "/assets/SHA256SUMS".to_owned(),
        ];
        for target in &lists {
            asker.ask(200, &format!("{method} {target}"), "", b"");
        }
        asker.ask(302, &format!("{method} /latest/download/b-*.zip"), "", b"");
        let latest = format!("{method} /github/spec-kit/releases/latest");
        asker.ask(302, &latest, "", b"");
        let tags = format!("{method} /repos/github/spec-kit/tags?page=0");
        asker.ask(422, &tags, "", b"");
    }
    let bytes = "Accept: application/octet-stream\r\n";
    let last_ten = format!("{bytes}Range: bytes=-10\r\n");
    let behind = format!("{bytes}Range: bytes=50-\r\n");
    let by_id = format!("GET {REPOSITORY}/assets/{asset}");
    let by_name = "GET /github/spec-kit/releases/download/v1.2.3/b-v1.2.3.zip";
    asker.ask(200, &by_id, bytes, b"");
    let of_latest = "GET /github/spec-kit/releases/latest/download/b-v1.2.3.zip";
    for request in [by_id.as_str(), by_name, of_latest] {
        asker.ask(206, request, &last_ten, b"");
        asker.ask(416, request, &behind, b"");
    }
}

/// Things of a repository that do not exist.
fn missing(asker: &mut Asker<'_>, method: &str) {
    let download = "/github/spec-kit/releases/download";
    let missing = [
        format!("{REPOSITORY}/tags/v9.9.9"),
        format!("{REPOSITORY}/1"),
        format!("{REPOSITORY}/one"),
        format!("{REPOSITORY}/1/assets"),
        format!("{REPOSITORY}/assets/1"),
        format!("{download}/v1.2.3/a.zip"),
        format!("{download}/v9.9.9/b-v1.2.3.zip"),
        "/latest/download/none*".to_owned(),
        format!("/repos/{}/r/releases", "o".repeat(101)),
        format!("/repos/{}/r", "o".repeat(101)),
        format!("/repos/{}/r/tags", "o".repeat(101)),
        "/github/spec-kit/releases/tag/v9.9.9".to_owned(),
        "/github/spec-kit/releases/latest/download/none.zip".to_owned(),
    ];
    for target in &missing {
        asker.ask(404, &format!("{method} {target}"), "", b"");
    }
}

pub fn write_releases(asker: &mut Asker<'_>) {
    let create = format!("POST {REPOSITORY}");
    asker.ask(200, &create, "", br#"{"tag_name":"v1.2.3"}"#);
    asker.ask(201, &create, "", br#"{"tag_name":"v3.0.0"}"#);
    asker.ask(400, &create, "", b"no JSON");
    asker.ask(413, &create, "", &vec![b' '; 300_000]);
    asker.ask(422, &create, "", b"{}");
    let upload = format!("POST {}", upload_of("c.zip"));
    asker.ask(201, &upload, "", b"content");
    asker.ask(409, &upload, "", b"content");
    asker.ask(400, &upload, "X-Checksum-Sha256: none\r\n", b"content");
    let existing = "If-Match: *\r\n";
    asker.ask(
        412,
        &format!("POST {}", upload_of("d.zip")),
        existing,
        b"content",
    );
    asker.ask(413, &format!("POST {}", upload_of("d.zip")), "", &[0; 2000]);
    asker.ask(422, &format!("POST {}", upload_of("")), "", b"content");
    let head = format!("{upload} HTTP/1.1\r\nHost: test\r\nAuthorization: token {TOKEN}\r\n\r\n");
    asker.send(411, &upload, &head);
    let by_id = format!("{REPOSITORY}/assets/{}", asset_id("c.zip"));
    let absent = "If-None-Match: *\r\n";
    asker.ask(412, &format!("DELETE {by_id}"), absent, b"");
    let delete = format!("DELETE {by_id}");
    let refused = [
        format!("PATCH {by_id}"),
        format!("PATCH {REPOSITORY}/1"),
        format!("DELETE {REPOSITORY}/1"),
    ];
    for request in &refused {
        asker.ask(422, request, "", b"");
    }
    for request in refused.iter().chain([&create, &upload, &delete]) {
        let (method, target) = request.split_once(' ').unwrap();
        let answer = asker.server.request(method, target, "", b"");
        asker.check(401, request, &answer);
        forbidden::check(asker, request);
    }
    asker.ask(204, &delete, "", b"");
    asker.ask(404, &delete, "", b"");
}
