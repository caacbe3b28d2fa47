//! Downloads: headers, ranges, conditions; each answer belongs to one version of a file.

use crate::support::{TestServer, hex, noise};

#[test]
fn a_download_says_all_about_itself() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"content").status, 201);
    for method in ["GET", "HEAD"] {
        let answer = server.request(method, "/assets/a.zip", "", b"");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        let disposition = answer.header("content-disposition");
        assert_eq!(disposition, "attachment; filename=\"a.zip\"");
        assert_eq!(answer.header("content-length"), "7");
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.header("etag"), format!("\"{}\"", hex(b"content")));
        assert!(answer.header("last-modified").ends_with(" GMT"));
        let digest = "sha-256=:7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=:";
        assert_eq!(answer.header("repr-digest"), digest);
        let expected: &[u8] = if method == "GET" { b"content" } else { b"" };
        assert_eq!(answer.body, expected);
    }
}

#[test]
fn names_beyond_ascii_are_said_in_both_ways() {
    let server = TestServer::start();
    assert_eq!(server.put("a%22%3B%20%C3%BC.zip", b"1").status, 201);
    let answer = server.get("/assets/a%22%3B%20%C3%BC.zip");
    let expected = "attachment; filename=\"a\\\"; _.zip\"; filename*=UTF-8''a%22%3B%20%C3%BC.zip";
    assert_eq!(answer.header("content-disposition"), expected);
    assert_eq!(server.listed(), ["a\"; ü.zip"]);
}

#[test]
fn single_ranges_are_served_and_others_are_not() {
    let server = TestServer::start();
    let content = noise(3, 1000);
    assert_eq!(server.put("a.zip", &content).status, 201);
    for (range, expected) in [
        ("bytes=0-0", Some((0, 0))),
        ("bytes=0-", Some((0, 999))),
        ("bytes=999-", Some((999, 999))),
        ("bytes=10-19", Some((10, 19))),
        ("bytes=990-5000", Some((990, 999))),
        ("bytes=-1", Some((999, 999))),
        ("bytes=-5000", Some((0, 999))),
        ("bytes=5-4", None),
        ("bytes=0-1,3-4", None),
        ("bytes=a-b", None),
        ("chapters=1-2", None),
    ] {
        let headers = format!("Range: {range}\r\n");
        let answer = server.request("GET", "/assets/a.zip", &headers, b"");
        let Some((first, last)) = expected else {
            assert_eq!((answer.status, &answer.body), (200, &content), "{range}");
            continue;
        };
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.body, content[first..=last], "{range}");
        let content_range = format!("bytes {first}-{last}/1000");
        assert_eq!(answer.header("content-range"), content_range);
    }
    for range in ["bytes=1000-", "bytes=1000-1001", "bytes=-0"] {
        let headers = format!("Range: {range}\r\n");
        let answer = server.request("GET", "/assets/a.zip", &headers, b"");
        answer.assert_error(416, "1000 bytes");
        assert_eq!(answer.header("content-range"), "bytes */1000");
        let head = server.request("HEAD", "/assets/a.zip", &headers, b"");
        assert_eq!(head.status, 200, "a range is for GET only");
    }
}

#[test]
fn conditions_are_weighed_in_their_order() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"content").status, 201);
    let first = server.get("/assets/a.zip");
    let (etag, date) = (first.header("etag"), first.header("last-modified"));
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (headers, status) in [
        (format!("If-None-Match: {etag}\r\n"), 304),
        (format!("If-None-Match: W/{etag}\r\n"), 304),
        (format!("If-None-Match: \"x\", {etag}\r\n"), 304),
        ("If-None-Match: *\r\n".to_owned(), 304),
        ("If-None-Match: \"x\"\r\n".to_owned(), 200),
        (format!("If-Modified-Since: {date}\r\n"), 304),
        (format!("If-Modified-Since: {old}\r\n"), 200),
        ("If-Modified-Since: yesterday\r\n".to_owned(), 200),
        (
            format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}\r\n"),
            200,
        ),
        (
            format!("If-None-Match: {etag}\r\nIf-Modified-Since: {old}\r\n"),
            304,
        ),
        (format!("If-Match: {etag}\r\n"), 200),
        ("If-Match: \"x\"\r\n".to_owned(), 412),
        (format!("If-Unmodified-Since: {old}\r\n"), 412),
    ] {
        let answer = server.request("GET", "/assets/a.zip", &headers, b"");
        assert_eq!(answer.status, status, "{headers}");
        if status == 304 {
            assert_eq!(answer.header("etag"), etag);
            assert_eq!(answer.try_header("content-length"), None);
        }
    }
}

#[test]
fn a_range_of_another_version_is_the_whole_file() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"first version").status, 201);
    let etag = server.get("/assets/a.zip").header("etag").to_owned();
    let headers = format!("Range: bytes=6-\r\nIf-Range: {etag}\r\n");
    let answer = server.request("GET", "/assets/a.zip", &headers, b"");
    assert_eq!((answer.status, answer.body), (206, b"version".to_vec()));
    let path = "/assets/a.zip?overwrite=on";
    assert_eq!(server.write("PUT", path, "", b"second version").status, 200);
    let answer = server.request("GET", "/assets/a.zip", &headers, b"");
    assert_eq!(
        (answer.status, answer.body),
        (200, b"second version".to_vec())
    );
}

#[test]
fn a_download_ends_with_the_bytes_it_began_with() {
    let server = TestServer::start();
    let content = noise(4, 30_000_000);
    assert_eq!(server.put("a.zip", &content).status, 201);
    let mut connection = server.connect();
    connection.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: t\r\n\r\n");
    // The answer has begun once its head has arrived; the rest exceeds the socket buffers.
    let head = connection.head();
    let path = "/assets/a.zip?overwrite=true";
    assert_eq!(server.write("PUT", path, "", b"other").status, 200);
    assert_eq!(server.write("DELETE", "/assets/a.zip", "", b"").status, 204);
    let answer = connection.body_of(head, "GET");
    assert!(answer.body == content, "the bytes differ");
    assert_eq!(answer.header("etag"), format!("\"{}\"", hex(&content)));
}

#[test]
fn answers_made_from_the_listing_have_tags() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"1").status, 201);
    for path in [
        "/latest",
        "/packages",
        "/packages?format=json",
        "/openapi.json",
        "/openapi.yaml",
    ] {
        let etag = server.get(path).header("etag").to_owned();
        let headers = format!("If-None-Match: {etag}\r\n");
        assert_eq!(
            server.request("GET", path, &headers, b"").status,
            304,
            "{path}"
        );
    }
    let etag = server.get("/latest").header("etag").to_owned();
    assert_eq!(server.put("b.zip", b"1").status, 201);
    let headers = format!("If-None-Match: {etag}\r\n");
    assert_eq!(server.request("GET", "/latest", &headers, b"").status, 200);
}

#[test]
fn the_list_has_the_requested_format() {
    let server = TestServer::start();
    assert_eq!(server.put("a%3Cb%3E.zip", b"1").status, 201);
    for (path, accept, is_json) in [
        ("/packages", "", false),
        ("/packages", "*/*", false),
        ("/packages", "application/json", true),
        (
            "/packages",
            "text/html,application/xhtml+xml,application/json;q=0.9",
            false,
        ),
        ("/packages", "application/json, text/plain, */*", true),
        ("/packages?format=json", "text/html", true),
        ("/packages?format=html", "application/json", false),
    ] {
        let headers = match accept {
            "" => String::new(),
            accept => format!("Accept: {accept}\r\n"),
        };
        let answer = server.request("GET", path, &headers, b"");
        assert_eq!(answer.status, 200);
        if is_json {
            assert_eq!(answer.json()[0]["name"], "a<b>.zip");
        } else {
            assert!(answer.text().contains("a&lt;b&gt;.zip"), "{path} {accept}");
        }
    }
    let root = server.get("/");
    assert_eq!((root.status, root.header("location")), (303, "/packages"));
}
