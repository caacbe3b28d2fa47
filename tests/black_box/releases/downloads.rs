//! Links to packages by pattern and by tag: the stable link, the lists of checksums, the download
//! counts.

use super::reads::{API, populated};
use crate::support::{TestServer, hex, until};

#[test]
fn a_stable_link_leads_to_the_newest_of_a_pattern() {
    let server = populated();
    for (pattern, expected) in [
        ("tool-*-linux.zip", "tool-v1.9.0-linux.zip"),
        ("tool-v2*", "tool-v2.0.0-darwin.zip"),
        ("README.??", "README.md"),
        ("README.%3F%3F", "README.md"),
        ("%52EADME.md", "README.md"),
        ("*", "tool-v1.9.0-linux.zip"),
    ] {
        let answer = server.get(&format!("/latest/download/{pattern}"));
        assert_eq!(answer.status, 302, "{pattern}");
        assert_eq!(answer.header("location"), format!("/assets/{expected}"));
    }
    let below = TestServer::over(server.storage(), &[("PUBLIC_URL", "https://example.org/p")]);
    let answer = below.get("/latest/download/README*");
    assert_eq!(answer.header("location"), "/p/assets/README.md");
}

#[test]
fn lists_of_checksums_are_complete_and_a_package_of_that_name_overrides_them() {
    let server = populated();
    let line = |name: &str| format!("{}  {name}\n", hex(name.as_bytes()));
    let of_two = line("tool-v2.0.0-darwin.zip") + &line("tool-v2.0.0-linux.zip");
    let download = "/o/r/releases/download";
    let sums = server.get(&format!("{download}/v2.0.0/SHA256SUMS"));
    assert_eq!(sums.text(), of_two);
    assert_eq!(sums.header("content-type"), "text/plain; charset=utf-8");
    let readme = server.get(&format!("{download}/unversioned/SHA256SUMS"));
    assert_eq!(readme.text(), line("README.md"));
    let all = server.get("/assets/SHA256SUMS").text();
    assert_eq!(all.lines().count(), 5);
    assert!(all.starts_with(&line("README.md")) && all.ends_with(&of_two));
    let single = server.get(&format!("{download}/v2.0.0/tool-v2.0.0-linux.zip.sha256"));
    assert_eq!(single.text(), line("tool-v2.0.0-linux.zip"));
    server
        .get("/assets/SHA256SUMS.sha256")
        .assert_error(404, "Not Found");
    assert_eq!(
        server.write("DELETE", "/assets/SHA256SUMS", "", b"").status,
        404
    );
    // It can no longer be published, but older servers let it.
    std::fs::write(server.storage().join("SHA256SUMS"), b"mine").unwrap();
    until(|| {
        let list = server.get("/packages?format=json").text();
        list.contains("SHA256SUMS").then_some(())
    });
    for path in [
        "/assets/SHA256SUMS",
        "/o/r/releases/download/unversioned/SHA256SUMS",
    ] {
        assert_eq!(server.get(path).body, b"mine", "{path}");
    }
    let sums = server.get(&format!("{download}/v2.0.0/SHA256SUMS"));
    assert_eq!(sums.text(), of_two, "other releases have their lists");
}

#[test]
fn downloads_are_counted_and_do_not_make_latest_anew() {
    let server = populated();
    let count = |path: &str, at: &str| {
        let answer = server.get(path).json();
        answer.pointer(at).unwrap()["download_count"]
            .as_u64()
            .unwrap()
    };
    let release = server.get(&format!("{API}/latest")).json();
    let asset = release["assets"][0].clone();
    let one = format!("{API}/assets/{}", asset["id"]);
    let latest = server.get("/latest");
    assert_eq!(count(&one, ""), 0);
    let name = asset["name"].as_str().unwrap();
    for path in [
        format!("/assets/{name}"),
        format!("/o/r/releases/download/v2.0.0/{name}"),
    ] {
        assert_eq!(server.get(&path).status, 200);
        // None of these requests downloads the whole file.
        assert_eq!(server.request("HEAD", &path, "", b"").status, 200);
        assert_eq!(
            server
                .request("GET", &path, "Range: bytes=1-\r\n", b"")
                .status,
            206
        );
        assert_eq!(
            server
                .request("GET", &path, "If-None-Match: *\r\n", b"")
                .status,
            304
        );
    }
    assert_eq!(count(&one, ""), 2, "one asset is never late");
    assert_eq!(
        count(&format!("{API}/latest"), "/assets/0"),
        2,
        "the first time at once"
    );
    server.get(&format!("/assets/{name}"));
    assert_eq!(count(&one, ""), 3);
    assert_eq!(
        count(&format!("{API}/latest"), "/assets/0"),
        2,
        "then once a minute"
    );
    assert_eq!(server.get("/latest").header("etag"), latest.header("etag"));
    assert_eq!(
        server
            .write("DELETE", &format!("/assets/{name}"), "", b"")
            .status,
        204
    );
    server.put("other.zip", b"1");
    server.get("/assets/other.zip");
    server.put(name, b"again");
    assert_eq!(count(&one, ""), 0, "what was deleted begins anew");
}
