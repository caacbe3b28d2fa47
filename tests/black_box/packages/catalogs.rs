//! spec-kit's catalogs: what the server says of published packages, and what clients fetch.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use crate::archives::of_texts;
use crate::support::{FORM_TYPE, Response, TestServer, form, hex, tls, until};
use serde_json::{Value, json};

/// An archive with an extension of this id and version.
pub fn extension(id: &str, version: &str) -> Vec<u8> {
    let manifest = format!(
        "schema_version: '1.0'\nextension: {{id: {id}, name: Acme, version: '{version}', \
         description: d}}\nrequires: {{speckit_version: '>=1.0'}}\nprovides: {{commands: [{{name: \
         speckit.{id}.x, file: x.md}}]}}\n"
    );
    of_texts(&[("extension.yml", &manifest), ("x.md", "x")])
}

pub fn step() -> Vec<u8> {
    of_texts(&[
        ("x/step.yml", "step: {type_key: wait, version: 1.0.0}\n"),
        ("x/__init__.py", ""),
        ("x/helper/words.py", "HELLO = 'hello'\n"),
    ])
}

fn catalog(server: &TestServer, path: &str) -> Value {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Publishes, and returns what the answer says of the package.
fn publish(server: &TestServer, name: &str, content: &[u8]) -> Value {
    let answer = server.put(name, content);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["package"].clone()
}

#[test]
fn a_published_extension_is_in_the_catalog_until_it_is_deleted() {
    let server = TestServer::start();
    let empty = catalog(&server, "/catalog.json");
    assert_eq!(empty["extensions"], json!({}));
    assert!(empty.get("updated_at").is_none());
    let archive = extension("acme", "1.0.0");
    let said = publish(&server, "acme%20v1.zip", &archive);
    let expected = json!({"kind": "extension", "id": "acme", "version": "1.0.0", "listed": true,
        "reason": null, "message": null});
    assert_eq!(said, expected);
    let listed = server.get("/packages?format=json").json();
    assert_eq!(listed[0]["package"], expected);
    for path in ["/catalog.json", "/catalogs/extensions.json"] {
        let entry = catalog(&server, path)["extensions"]["acme"].clone();
        assert_eq!(entry["version"], "1.0.0");
        assert_eq!(
            entry["download_url"],
            format!("{}/assets/acme%20v1.zip", tls::base())
        );
        assert_eq!(entry["sha256"], hex(&archive));
    }
    assert!(
        catalog(&server, "/catalogs/presets.json")
            .get("extensions")
            .is_none()
    );
    assert_eq!(server.get("/catalogs/others.json").status, 404);
    publish(&server, "acme-2.zip", &extension("acme", "2.0.0"));
    let entry = &catalog(&server, "/catalog.json")["extensions"]["acme"];
    assert_eq!(entry["version"], "2.0.0");
    assert_eq!(entry["releases"]["1.0.0"]["sha256"], hex(&archive));
    server.write("DELETE", "/assets/acme-2.zip", "", b"");
    let entry = &catalog(&server, "/catalog.json")["extensions"]["acme"];
    assert_eq!(
        (entry["version"].as_str(), entry.get("releases")),
        (Some("1.0.0"), None)
    );
    server.write("DELETE", "/assets/acme%20v1.zip", "", b"");
    assert_eq!(catalog(&server, "/catalog.json")["extensions"], json!({}));
}

#[test]
fn plain_files_have_no_package_and_unlisted_ones_have_a_reason() {
    let server = TestServer::start();
    assert_eq!(
        publish(&server, "plain.zip", &of_texts(&[("README.md", "x")])),
        Value::Null
    );
    assert_eq!(publish(&server, "noise.bin", b"noise"), Value::Null);
    publish(&server, "one.zip", &extension("acme", "1.1"));
    let other = [&b"#"[..], &extension("acme", "v1.1.0")].concat();
    let cases = [
        (
            "bad-id.zip",
            extension("Acme", "1.0.0"),
            "field",
            json!(null),
            json!("1.0.0"),
        ),
        (
            "bad-version.zip",
            extension("acme", "new"),
            "version",
            json!("acme"),
            json!(null),
        ),
        (
            "again.zip",
            other,
            "duplicate",
            json!("acme"),
            json!("v1.1.0"),
        ),
        (
            "cut.zip",
            [&extension("acme", "3")[..], b"\0"].concat(),
            "zip",
            json!(null),
            json!(null),
        ),
    ];
    for (name, content, reason, id, version) in cases {
        let said = publish(&server, name, &content);
        assert_eq!(said["listed"], false, "{name}: {said}");
        assert_eq!(said["reason"], reason, "{name}: {said}");
        assert!(
            said["message"].as_str().is_some_and(|text| text.len() > 10),
            "{said}"
        );
        assert_eq!((&said["id"], &said["version"]), (&id, &version), "{name}");
        let is_meant = |line: &Value| {
            line["message"] == "catalogs leave the package out" && line["reason"] == reason
        };
        assert_eq!(server.wait_for_line(is_meant)["package"], name);
        let listed = server.get("/packages?format=json").json();
        let packages = listed.as_array().expect("a list").iter();
        let package = packages.clone().find(|package| package["name"] == name);
        assert_eq!(package.expect("listed")["package"], said);
    }
    let metrics = server.get("/metrics").text();
    for line in [
        "catalog_entries{kind=\"extensions\"} 1",
        "catalog_unlisted{reason=\"field\"} 1",
        "catalog_unlisted{reason=\"duplicate\"} 1",
        "catalog_unread 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[test]
fn the_same_bytes_under_another_name_are_no_duplicate() {
    let server = TestServer::start();
    let archive = extension("acme", "1.0.0");
    publish(&server, "a.zip", &archive);
    assert_eq!(publish(&server, "b.zip", &archive)["listed"], true);
    let entry = &catalog(&server, "/catalog.json")["extensions"]["acme"];
    assert_eq!(
        entry["download_url"],
        format!("{}/assets/a.zip", tls::base())
    );
    assert!(entry.get("releases").is_none());
}

fn assert_refused(answer: &Response, part: &str) {
    answer.assert_error(422, part);
}

#[test]
fn a_catalog_that_is_required_is_decided_before_anything_is_stored() {
    let server = TestServer::start();
    let put = |name: &str, content: &[u8]| {
        server.write(
            "PUT",
            &format!("/assets/{name}?catalog=required"),
            "",
            content,
        )
    };
    assert_refused(&put("plain.zip", b"plain"), "not a package of spec-kit");
    assert_refused(&put("bad.zip", &extension("Acme", "1.0.0")), "extension.id");
    let bad = form("bad.zip", &extension("Acme", "1.0.0"));
    let posted = server.write("POST", "/upload?catalog=required", FORM_TYPE, &bad);
    assert_refused(&posted, "extension.id");
    assert_eq!(server.stored(), [""; 0]);
    assert_eq!(put("good.zip", &extension("acme", "1.0.0")).status, 201);
    let other = [&b"#"[..], &extension("acme", "1.0")].concat();
    assert_refused(&put("again.zip", &other), "(duplicate)");
    assert_refused(
        &server.write("PUT", "/assets/x?catalog=on", "", b"x"),
        "it takes required",
    );
}

#[test]
fn of_racing_publishers_that_require_a_catalog_one_gets_the_version() {
    const PUBLISHERS: usize = 8;
    let server = TestServer::start();
    let other = TestServer::over(server.storage(), &[]);
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        let publish = |number: usize| {
            let content = [&vec![b'#'; number][..], &extension("acme", version)].concat();
            let path = format!("/assets/{version}-{number}.zip?catalog=required");
            let server = if number.is_multiple_of(4) {
                &other
            } else {
                &server
            };
            // 503 while the other server's package is unread.
            until(|| Some(server.write("PUT", &path, "", &content)).filter(|it| it.status != 503))
        };
        let answers: Vec<_> = std::thread::scope(|scope| {
            let publish = &publish;
            let started: Vec<_> = (0..PUBLISHERS)
                .map(|number| scope.spawn(move || publish(number)))
                .collect();
            let ended = started.into_iter();
            ended.map(|thread| thread.join().unwrap()).collect()
        });
        let (created, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 201);
        assert_eq!(created.len(), 1, "{answers:?}");
        for answer in refused {
            assert_refused(answer, "(duplicate)");
        }
    }
}

#[test]
fn a_package_that_requires_a_catalog_may_replace_itself() {
    let server = TestServer::start();
    let put = |name: &str, content: &[u8]| {
        let path = format!("/assets/{name}?catalog=required&overwrite=true");
        server.write("PUT", &path, "", content).status
    };
    let archive = extension("acme", "1.0.0");
    let other = [&b"#"[..], &archive].concat();
    assert_eq!(put("a.zip", &archive), 201);
    assert_eq!(put("a.zip", &other), 200);
    assert_eq!(put("b.zip", &other), 201);
    // The bytes of `b.zip` are older than what would replace `a.zip`.
    assert_eq!(put("a.zip", &archive), 422);
}

#[test]
fn files_of_a_step_are_served_one_by_one() {
    let server = TestServer::start();
    publish(&server, "step%201.zip", &step());
    publish(&server, "acme.zip", &extension("acme", "1.0.0"));
    let entry = catalog(&server, "/catalog.json")["steps"]["wait"].clone();
    let url = entry["extra_files"]["helper/words.py"]
        .as_str()
        .expect("a URL");
    let path = "/assets/step%201.zip/helper/words.py";
    assert_eq!(url, format!("{}{path}", tls::base()));
    assert_eq!(
        entry["sha256"]["helper/words.py"],
        hex(b"HELLO = 'hello'\n")
    );
    let file = server.get(path);
    assert_eq!(
        (file.status, file.text()),
        (200, "HELLO = 'hello'\n".to_owned())
    );
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"words.py\""
    );
    assert_eq!(server.get("/assets/step%201.zip/__init__.py").body, b"");
    for path in [
        "/assets/step%201.zip/x/step.yml",
        "/assets/step%201.zip/../step.yml",
        "/assets/step%201.zip/helper",
        "/assets/step%201.zip/",
        "/assets/none.zip/step.yml",
        "/assets/acme.zip/extension.yml",
    ] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let put = server.write("PUT", "/assets/step%201.zip/step.yml", "", b"x");
    assert_eq!(put.status, 405);
}

#[test]
fn packages_that_are_put_there_by_hand_enter_the_catalog() {
    let server = TestServer::start();
    assert_eq!(catalog(&server, "/catalog.json")["extensions"], json!({}));
    std::fs::write(
        server.storage().join("by-hand.zip"),
        extension("acme", "1.0.0"),
    )
    .unwrap();
    until(|| {
        let answer = server.get("/catalog.json");
        if answer.status == 503 {
            answer.assert_error(503, "The catalog is not complete yet");
            assert_eq!(answer.header("retry-after"), "2");
            return None;
        }
        answer.json()["extensions"].get("acme").cloned()
    });
}
