//! Every refusal: its status, its one clear sentence, and that it changes nothing.

use crate::support::{FORM_TYPE, TOKEN, TestServer, form, hex};

/// One line for each case: method, path, headers beside the token, body; status and words of the
/// answer.
macro_rules! refused {
    (
        $server:expr;
        $($method:literal $path:literal [$headers:expr] $body:expr
            => $status:literal $words:literal;)*
    ) => {$(
        let answer = $server.write($method, $path, $headers, $body);
        assert_eq!(answer.status, $status, "{} {} {:?}: {answer:?}", $method, $path, $headers);
        answer.assert_error($status, $words);
    )*};
}

#[test]
fn uploads_are_refused_with_a_reason_and_change_nothing() {
    let mut server = TestServer::with(&[("MAX_UPLOAD_SIZE", "1000")]);
    assert_eq!(server.put("there.zip", b"first").status, 201);
    let (first, second) = (form("a.zip", b"1"), form("b.zip", b"2"));
    let end_of_first = first.len() - "--\r\n".len();
    let twice = [&first[..end_of_first], &second["--BOUNDARY".len()..]].concat();
    let part = "--BOUNDARY\r\nContent-Disposition: form-data; name=\"x\"";
    let field = format!("{part}\r\n\r\n1\r\n--BOUNDARY--");
    let other = format!("{part}; filename=\"a.zip\"\r\n\r\n1\r\n--BOUNDARY--");
    let too_big = [b'x'; 1001];
    let wrong = format!("X-Checksum-Sha256: {}\r\n", hex(b"other"));
    refused! { server;
        "POST" "/upload" [FORM_TYPE] &form("a.zip", b"") => 400 "is empty";
        "PUT" "/assets/a.zip" [""] b"" => 400 "is empty";
        "POST" "/upload" [FORM_TYPE] b"nothing" => 400 "closing boundary";
        "POST" "/upload" [FORM_TYPE] b"" => 400 "closing boundary";
        "POST" "/upload" [FORM_TYPE] b"--BOUNDARYx" => 400 "malformed";
        "POST" "/upload" [FORM_TYPE] &form("../a.zip", b"1") => 400 "holds '/'";
        "POST" "/upload" [FORM_TYPE] &form("C:\\a.zip", b"1") => 400 "holds '\\\\'";
        "POST" "/upload" [FORM_TYPE] &form(".a.zip", b"1") => 400 "begins with '.'";
        "POST" "/upload" [FORM_TYPE] &form("a.sha256", b"1") => 400 "checksums";
        "POST" "/upload" [FORM_TYPE] &form("", b"1") => 400 "is empty";
        "PUT" "/assets/a%2fb.zip" [""] b"1" => 400 "holds '/'";
        "PUT" "/assets/a%00b.zip" [""] b"1" => 400 "holds '\\u{0}'";
        "PUT" "/assets/a%ff.zip" [""] b"1" => 400 "not UTF-8";
        "PUT" "/assets/.a" [""] b"1" => 400 "begins with '.'";
        "PUT" "/assets/a.sha256" [""] b"1" => 400 "checksums";
        "PUT" "/assets/there.zip" [""] b"1" => 409 "exists already";
        "POST" "/upload" [FORM_TYPE] &form("there.zip", b"1") => 409 "exists already";
        "PUT" "/assets/a.zip" [""] &too_big => 413 "over 1000 bytes";
        "POST" "/upload" [FORM_TYPE] &form("a.zip", &too_big) => 413 "over 1000 bytes";
        "POST" "/upload" ["Content-Type: text/plain\r\n"] b"1" => 415 "multipart/form-data";
        "POST" "/upload" ["Content-Type: multipart/form-data\r\n"] b"1" => 415 "a boundary";
        "POST" "/upload" [FORM_TYPE] field.as_bytes() => 422 "named 'file'";
        "POST" "/upload" [FORM_TYPE] other.as_bytes() => 422 "named 'file'";
        "POST" "/upload" [FORM_TYPE] &twice => 422 "more than one file";
        "PUT" "/assets/a.zip?overwrite=maybe" [""] b"1" => 422 "'overwrite'";
        "POST" "/upload?overwrite=" [FORM_TYPE] &form("a", b"1") => 422 "'overwrite'";
        "PUT" "/assets/a.zip" [&wrong] b"1" => 400 "SHA-256 is";
        "PUT" "/assets/a.zip" ["Repr-Digest: sha-256=:AAAA:\r\n"] b"1" => 400 "Repr-Digest";
        "PUT" "/assets/a.zip" ["Content-Range: bytes 1-1/2\r\n"] b"1" => 400 "published whole";
        "PUT" "/assets/a.zip" ["Expect: something\r\n"] b"1" => 417 "Expect";
    }
    assert_eq!(server.get("/assets/there.zip").body, b"first");
    assert_eq!(server.stored(), ["there.zip", "there.zip.sha256"]);
    server.assert_alive();
}

#[test]
fn a_length_is_needed_for_put() {
    let server = TestServer::start();
    let mut connection = server.connect();
    let head =
        format!("PUT /assets/a.zip HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    connection.send(head.as_bytes());
    connection
        .response("PUT")
        .assert_error(411, "Content-Length");
}

#[test]
fn reads_are_refused_with_a_reason() {
    let server = TestServer::start();
    refused! { server;
        "GET" "/nothing" [""] b"" => 404 "Not Found: nothing is served at '/nothing'";
        "GET" "/assets/" [""] b"" => 404 "Not Found";
        "GET" "/assets/a/b" [""] b"" => 404 "Not Found";
        "GET" "/assets/a%2fb" [""] b"" => 404 "Not Found: there is no package";
        "GET" "/assets/..%2f..%2fetc%2fpasswd" [""] b"" => 404 "Not Found";
        "GET" "/assets/missing.zip" [""] b"" => 404 "there is no package 'missing.zip'";
        "GET" "/assets/missing.zip.sha256" [""] b"" => 404 "Not Found";
        "DELETE" "/assets/missing.zip" [""] b"" => 404 "Not Found";
        "DELETE" "/assets/.hidden" [""] b"" => 404 "Not Found";
        "GET" "/packages?format=xml" [""] b"" => 422 "'format'";
        "OPTIONS" "*" [""] b"" => 404 "Not Found";
    }
}

#[test]
fn other_methods_get_the_allowed_ones() {
    let server = TestServer::start();
    for (method, path, allow) in [
        ("DELETE", "/latest", "GET, HEAD"),
        ("GET", "/upload", "POST"),
        ("POST", "/assets/a.zip", "GET, HEAD, PUT, DELETE"),
        ("PATCH", "/healthz", "GET, HEAD"),
        ("BREW", "/", "GET, HEAD"),
    ] {
        let answer = server.request(method, path, "", b"");
        answer.assert_error(405, "the allowed methods are");
        assert_eq!(answer.header("allow"), allow);
    }
}

#[test]
fn writing_needs_the_token_and_says_so_before_the_body() {
    let server = TestServer::start();
    assert_eq!(server.put("a.zip", b"1").status, 201);
    let two = format!("Authorization: Bearer {TOKEN}\r\nAuthorization: Bearer other\r\n");
    for headers in [
        "",
        "Authorization: Bearer wrong\r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Basic YTpi\r\n",
        &format!("Authorization: {TOKEN}\r\n"),
        &two,
    ] {
        for (method, path) in [
            ("POST", "/upload"),
            ("PUT", "/assets/b.zip"),
            ("DELETE", "/assets/a.zip"),
        ] {
            let mut connection = server.connect();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\n{headers}\r\n"
            );
            connection.send(head.as_bytes());
            let answer = connection.response(method);
            assert_eq!(answer.status, 401, "{method} {headers}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    let accepted = [
        format!("Authorization: bearer {TOKEN}\r\n"),
        format!("authorization: BEARER   {TOKEN}\r\n"),
        format!("Authorization: Bearer {TOKEN}\r\nAuthorization: Bearer {TOKEN}\r\n"),
    ];
    for (number, headers) in accepted.iter().enumerate() {
        let answer = server.request("PUT", &format!("/assets/{number}.zip"), headers, b"1");
        assert_eq!(answer.status, 201, "{headers}");
    }
}

#[test]
fn a_client_that_waits_for_100_gets_its_refusal_before_it_sends() {
    let server = TestServer::with(&[("MAX_UPLOAD_SIZE", "1000")]);
    assert_eq!(server.put("there.zip", b"first").status, 201);
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    for (request, headers, status) in [
        ("PUT /assets/a.zip", "Content-Length: 5\r\n", 401),
        ("PUT /assets/there.zip", "Content-Length: 5\r\n", 409),
        ("PUT /assets/a.zip", "", 411),
        ("PUT /assets/a.zip", "Content-Length: 1001\r\n", 413),
        ("POST /upload", "Content-Length: 5\r\n", 415),
    ] {
        let token = if status == 401 { "" } else { &token };
        let mut connection = server.connect();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n{token}{headers}\r\n"
        );
        connection.send(head.as_bytes());
        assert_eq!(connection.response("PUT").status, status, "{request}");
        if status != 411 {
            connection.assert_closed();
        }
    }
    let mut connection = server.connect();
    let head = format!(
        "PUT /assets/a.zip HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n{token}Content-Length: \
            5\r\n\r\n"
    );
    connection.send(head.as_bytes());
    assert_eq!(connection.response("PUT").status, 100);
    connection.send(b"12345");
    assert_eq!(connection.response("PUT").status, 201);
}

#[test]
fn the_right_token_under_another_scheme_is_refused() {
    let server = TestServer::start();
    for scheme in ["Basic", "Digest", "Bear", "Bearer:", ""] {
        let headers = format!("Authorization: {scheme} {TOKEN}\r\n");
        let answer = server.request("PUT", "/assets/a.zip", &headers, b"1");
        assert_eq!(answer.status, 401, "{scheme}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(server.listed(), [""; 0]);
}
