//! Pages, as far as a test without a browser can check them; `tests/browser/` uses a browser.

use crate::support::TestServer;

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

#[test]
fn an_error_is_a_page_where_a_browser_asks() {
    let server = TestServer::start();
    for (method, path, status, sentence) in [
        (
            "GET",
            "/n<b>",
            404,
            "Not Found: nothing is served at &#39;/n&lt;b&gt;&#39;",
        ),
        (
            "GET",
            "/assets/a.zip",
            404,
            "Not Found: there is no package &#39;a.zip&#39;",
        ),
        ("POST", "/latest", 405, "the allowed methods are GET, HEAD"),
        ("DELETE", "/assets/a.zip", 401, "token"),
        ("GET", "/packages?format=xml", 422, "it takes html or json"),
    ] {
        let page = server.request(method, path, BROWSER, b"");
        assert_eq!(page.status, status, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(
            page.header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert!(page.text().contains(sentence), "{path}: {}", page.text());
        assert!(page.text().contains("href=\"/packages\""), "{path}");
        let json = server.request(method, path, "Accept: */*\r\n", b"");
        assert_eq!(
            (json.status, json.header("content-type")),
            (status, "application/json")
        );
        for header in ["allow", "www-authenticate", "cache-control"] {
            assert_eq!(
                page.try_header(header),
                json.try_header(header),
                "{path}: {header}"
            );
        }
    }
}

#[test]
fn packages_stand_by_version_under_links_that_any_prefix_keeps() {
    let server = TestServer::start();
    for name in ["tool-sh-v1.2.3.zip", "notes.txt", "tool-ps-v1.2.3.zip"] {
        assert_eq!(server.put(name, b"12345").status, 201);
    }
    let page = server.get("/packages").text();
    assert!(page.contains("3 packages, 15 B"), "{page}");
    assert!(page.contains("v1.2.3 <span>2 packages, 10 B"), "{page}");
    assert!(page.contains("unversioned <span>1 package, 5 B"), "{page}");
    assert!(
        page.contains("href=\"./assets/tool-sh-v1.2.3.zip\""),
        "{page}"
    );
    // Each hash permits the one style and the one script of the page; nothing else may run or be
    // fetched.
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("<style>").count(), 1);
    assert!(
        !page.contains("style=\"") && !page.contains("onclick=\""),
        "{page}"
    );
}
