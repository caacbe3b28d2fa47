//! Every write route with tokens of every combination of rights, names and expiry.
//!
//! Source: docs/contract.md, section 1, "Tokens".

use super::{may, named, with_token, write_tokens};
use crate::support::{FORM_TYPE, Response, TOKEN, TestServer, form};
use release_server::tokens::Right::{self, Delete, Overwrite, Publish};

/// A token, and what it may.
pub struct Case {
    pub token: String,
    pub name: String,
    pub rights: Vec<Right>,
    /// Whether it covers only names that begin with `a-`.
    pub is_limited: bool,
    pub is_expired: bool,
}

pub const RIGHTS: [&[Right]; 4] = [
    &[Publish],
    &[Publish, Overwrite],
    &[Delete],
    &[Publish, Overwrite, Delete],
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    PutNew,
    PutNewOverwriting,
    PutOld,
    PutOldOverwriting,
    FormNew,
    FormOldOverwriting,
    CreateRelease,
    AssetNew,
    DeleteByName,
    DeleteById,
    DeleteRelease,
    PatchRelease,
}

use Route::*;

const ROUTES: [Route; 12] = [
    PutNew,
    PutNewOverwriting,
    PutOld,
    PutOldOverwriting,
    FormNew,
    FormOldOverwriting,
    CreateRelease,
    AssetNew,
    DeleteByName,
    DeleteById,
    DeleteRelease,
    PatchRelease,
];

impl Route {
    /// The rights that it needs, and the status where the token has them.
    fn needs(self) -> (&'static [Right], u16) {
        match self {
            PutNew | PutNewOverwriting => (&[Publish], 201),
            PutOld => (&[Publish], 409),
            PutOldOverwriting => (&[Publish, Overwrite], 200),
            FormNew => (&[Publish], 200),
            FormOldOverwriting => (&[Publish, Overwrite], 200),
            CreateRelease => (&[Publish], 200),
            AssetNew => (&[Publish], 201),
            DeleteByName | DeleteById => (&[Delete], 204),
            DeleteRelease => (&[Delete], 422),
            PatchRelease => (&[Overwrite], 422),
        }
    }

    /// Whether it names a package.
    fn has_name(self) -> bool {
        !matches!(self, CreateRelease | DeleteRelease | PatchRelease)
    }

    fn is_for_new(self) -> bool {
        matches!(self, PutNew | PutNewOverwriting | FormNew | AssetNew)
    }
}

fn release_id(server: &TestServer) -> u64 {
    let release = server.get("/repos/o/r/releases/tags/v1.0.0").json();
    release["id"].as_u64().unwrap()
}

fn asset_id(server: &TestServer, name: &str) -> u64 {
    let release = server.get("/repos/o/r/releases/tags/v1.0.0").json();
    let assets = release["assets"].as_array().unwrap();
    let asset = assets.iter().find(|asset| asset["name"] == name).unwrap();
    asset["id"].as_u64().unwrap()
}

/// Sends the request about the package of this name.
fn ask(server: &TestServer, token: &str, route: Route, name: &str) -> Response {
    let send = |method, path: &str, headers: &str, body: &[u8]| {
        with_token(server, token, (method, path), headers, body)
    };
    let asset = format!("/assets/{name}");
    let release = || format!("/repos/o/r/releases/{}", release_id(server));
    match route {
        PutNew | PutOld => send("PUT", &asset, "", b"2"),
        PutNewOverwriting | PutOldOverwriting => {
            send("PUT", &format!("{asset}?overwrite=true"), "", b"2")
        }
        FormNew => send("POST", "/upload", FORM_TYPE, &form(name, b"2")),
        FormOldOverwriting => {
            let path = "/upload?overwrite=true";
            send("POST", path, FORM_TYPE, &form(name, b"2"))
        }
        CreateRelease => {
            let body = br#"{"tag_name":"v1.0.0"}"#;
            send("POST", "/repos/o/r/releases", "", body)
        }
        AssetNew => {
            let path = format!("{}/assets?name={name}", release());
            send("POST", &path, "", b"2")
        }
        DeleteByName => send("DELETE", &asset, "", b""),
        DeleteById => {
            let path = format!("/repos/o/r/releases/assets/{}", asset_id(server, name));
            send("DELETE", &path, "", b"")
        }
        DeleteRelease => send("DELETE", &release(), "", b""),
        PatchRelease => send("PATCH", &release(), "", b"{}"),
    }
}

/// Asserts the answer to every route, about a name that the token covers or may not cover.
pub fn assert_rights(server: &TestServer, case: &Case) {
    for route in ROUTES {
        for prefix in ["a", "b"] {
            let name = format!("{prefix}-v1.0.0.zip");
            let new = format!("{prefix}-{route:?}-{}-v1.0.0.zip", case.name);
            // As it is before every request.
            let old = server.write("PUT", &format!("/assets/{name}?overwrite=true"), "", b"1");
            assert!([200, 201].contains(&old.status), "{old:?}");
            let name = if route.is_for_new() { &new } else { &name };
            let answer = ask(server, &case.token, route, name);
            let (needed, status) = route.needs();
            let has_rights = needed.iter().all(|right| case.rights.contains(right));
            let is_covered = !case.is_limited || prefix == "a" || !route.has_name();
            let expected = match (case.is_expired, has_rights && is_covered) {
                (true, _) => 401,
                (false, true) => status,
                (false, false) => 403,
            };
            let about = format!("{route:?} of {name} by {}: {answer:?}", case.name);
            assert_eq!(answer.status, expected, "{about}");
            assert_sentence(&answer, case, &about);
            let is_stored = server.storage().join(name).exists();
            let is_deleted = matches!(route, DeleteByName | DeleteById) && expected == 204;
            let is_published = !route.is_for_new() || expected < 300;
            assert_eq!(is_stored, is_published && !is_deleted, "{about}");
            if !route.is_for_new() && is_stored {
                let content = std::fs::read(server.storage().join(name)).unwrap();
                let is_replaced = matches!(route, PutOldOverwriting | FormOldOverwriting);
                let expected = if is_replaced && expected == 200 {
                    b"2"
                } else {
                    b"1"
                };
                assert_eq!(content, expected, "{about}");
            }
            server.write("DELETE", &format!("/assets/{new}"), "", b"");
        }
    }
}

fn assert_sentence(answer: &Response, case: &Case, about: &str) {
    let sentence = || answer.json()["detail"].as_str().unwrap().to_owned();
    let words = match answer.status {
        401 => {
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            format!("'{}' expired at 2020-01-01T00:00:00Z", case.name)
        }
        403 => format!("The token '{}' may not ", case.name),
        _ => return,
    };
    assert!(sentence().contains(&words), "{about}");
    let names = if case.is_limited { "'a-*'" } else { "packages" };
    assert!(
        answer.status == 401 || sentence().contains(names),
        "{about}"
    );
}

#[test]
fn a_named_token_may_what_its_entry_says_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let (mut cases, mut entries) = (Vec::new(), Vec::new());
    for (number, rights) in RIGHTS.into_iter().enumerate() {
        for is_limited in [false, true] {
            for (expiry, is_expired) in [("", false), ("2099-01-01", false), ("2020-01-01", true)] {
                let name = format!("t{number}-{is_limited}-{expiry}");
                let mut lines = may(rights);
                if is_limited {
                    lines.push_str("  names: ['a-*', 'a-other']\n");
                }
                if !expiry.is_empty() {
                    lines.extend(["  expires: ", expiry, "T00:00:00Z\n"]);
                }
                let new = named(&name, &lines);
                entries.push(new.entry);
                cases.push(Case {
                    token: new.token,
                    name,
                    rights: rights.to_vec(),
                    is_limited,
                    is_expired,
                });
            }
        }
    }
    write_tokens(&file, entries.iter().map(String::as_str));
    let server = TestServer::with(&[("TOKENS_FILE", file.to_str().unwrap())]);
    // The last entry of a file is found like the first one; expired ones need fewer requests.
    for case in cases
        .iter()
        .filter(|case| !case.is_expired || case.is_limited)
    {
        assert_rights(&server, case);
    }
    let shared = Case {
        token: TOKEN.to_owned(),
        name: "auth_token".to_owned(),
        rights: Right::ALL.to_vec(),
        is_limited: false,
        is_expired: false,
    };
    assert_rights(&server, &shared);
}

#[test]
fn a_refusal_is_sent_before_the_body_and_says_what_the_token_may() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let ci = named("ci", "  may: [publish]\n  names: ['a*', 'b?']\n");
    let cleaner = named("cleaner", "  may: [delete]\n");
    write_tokens(&file, [&*ci.entry, &cleaner.entry]);
    let server = TestServer::with(&[("TOKENS_FILE", file.to_str().unwrap())]);
    server.put("a.zip", b"1");
    let may = "it may publish packages whose names match 'a*' or 'b?'";
    for (token, request, status, sentence) in [
        (
            &ci,
            "PUT /assets/c.zip",
            403,
            format!("The token 'ci' may not publish 'c.zip'; {may}"),
        ),
        (
            &ci,
            "PUT /assets/a.zip?overwrite=true",
            403,
            format!("The token 'ci' may not overwrite 'a.zip'; {may}"),
        ),
        (
            &cleaner,
            "PUT /assets/a.zip",
            403,
            "The token 'cleaner' may not publish; it may delete packages".to_owned(),
        ),
        (
            &cleaner,
            "POST /upload",
            403,
            "The token 'cleaner' may not publish; it may delete packages".to_owned(),
        ),
    ] {
        let mut connection = server.connect();
        let token = &token.token;
        connection.send(
            format!(
                "{request} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
                 {FORM_TYPE}Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
            )
            .as_bytes(),
        );
        let method = request.split(' ').next().unwrap();
        connection.response(method).assert_error(status, &sentence);
    }
    assert_eq!(
        server.metric("release_server_token_checks_total{outcome=\"forbidden\"}"),
        4
    );
}

#[test]
fn a_wrong_token_is_told_from_a_mistyped_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let ci = named("ci", "  may: [publish]\n");
    write_tokens(&file, [&*ci.entry]);
    let settings = [("AUTH_TOKEN", ""), ("TOKENS_FILE", file.to_str().unwrap())];
    let server = TestServer::with(&settings);
    let put = |token: &str| with_token(&server, token, ("PUT", "/assets/x.zip"), "", b"1");
    let other = named("other", "").token;
    for token in [&*other, "no-such-token", "", TOKEN] {
        put(token).assert_error(401, "The token is wrong");
    }
    let end = &ci.token[..ci.token.len() - 1];
    let mistyped = ci.token.replace("rs_", "rs_0");
    for token in [end, &mistyped, "rs_", "rs_\u{e4}"] {
        put(token).assert_error(
            401,
            "The token is mistyped or cut off: its checksum does not fit",
        );
    }
    assert_eq!(put(&ci.token).status, 201);
    let refused = "release_server_token_checks_total{outcome=\"refused\"}";
    assert_eq!(server.metric(refused), 8);
    server
        .request("PUT", "/assets/y.zip", "", b"1")
        .assert_error(401, "A token is needed");
    let missing = "release_server_token_checks_total{outcome=\"missing\"}";
    assert_eq!(server.metric(missing), 1);
    let log = format!("{:?}", server.log());
    assert!(!log.contains(&ci.token) && !log.contains(&other));
    let published = server.wait_for_line(|line| line["message"] == "published");
    assert_eq!(published["token"], "ci");
    let line = server.wait_for_line(|line| line["method"] == "PUT" && line["status"] == 201);
    assert_eq!(line["token"], "ci");
}
