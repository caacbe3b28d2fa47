//! The table of faults in docs/bucket.md: what a client gets, and that the server goes on after.

use super::Fleet;
use super::between::{Act, Between, error};
use crate::support::{Response, TestServer, hex, noise, until};
use std::io::Read;

/// A server whose requests to the store can be answered otherwise.
pub fn start(settings: &[(&'static str, &str)]) -> Option<(Between, Fleet)> {
    let between = Between::start()?;
    let mut all = vec![("BUCKET_ENDPOINT", between.endpoint.as_str())];
    all.extend(settings);
    let fleet = Fleet::start(1, &all)?;
    until(|| (fleet.servers[0].get("/readyz").status == 200).then_some(()));
    Some((between, fleet))
}

pub fn delete(server: &TestServer, name: &str) -> Response {
    server.write("DELETE", &format!("/assets/{name}"), "", b"")
}

/// Asks for several things at the same time, because refusals that may pass are tried again.
fn at_once<'s>(acts: impl IntoIterator<Item = Box<dyn FnOnce() + Send + 's>>) {
    std::thread::scope(|scope| {
        for act in acts {
            scope.spawn(act);
        }
    });
}

#[test]
fn what_a_store_refuses_of_a_publish_has_its_status() {
    let Some((between, fleet)) = start(&[]) else {
        return;
    };
    let server = &fleet.servers[0];
    let rows = [
        ("conflict.zip", 409, "ConditionalRequestConflict", 503),
        ("throttled.zip", 429, "TooManyRequests", 503),
        ("slow.zip", 503, "SlowDown", 503),
        ("failed.zip", 500, "InternalError", 503),
        ("odd.zip", 502, "><", 503),
        ("denied.zip", 403, "AccessDenied", 503),
        ("no-bucket.zip", 404, "NoSuchBucket", 503),
        ("elsewhere.zip", 301, "PermanentRedirect", 503),
        ("digest.zip", 400, "XAmzContentSHA256Mismatch", 500),
        ("full.zip", 507, "InsufficientStorage", 507),
        ("quota.zip", 403, "QuotaExceeded", 507),
    ];
    for (name, status, code, _) in rows {
        between.set("PUT", name, error(status, code));
    }
    at_once(
        rows.map(|(name, _, code, expected)| -> Box<dyn FnOnce() + Send> {
            Box::new(move || {
                let answer = server.put(name, b"content");
                assert_eq!(answer.status, expected, "{code}: {answer:?}");
                let again = answer.try_header("retry-after").is_some();
                assert_eq!(again, expected == 503, "{code}: {answer:?}");
            })
        }),
    );
    assert_eq!(server.listed(), [""; 0], "nothing of it is listed");
    between.heal();
    at_once(rows.map(|(name, ..)| -> Box<dyn FnOnce() + Send> {
        Box::new(move || assert_eq!(server.put(name, b"content").status, 201, "{name}"))
    }));
}

#[test]
fn a_put_whose_answer_is_lost_is_found_by_its_number() {
    let Some((between, fleet)) = start(&[]) else {
        return;
    };
    let server = &fleet.servers[0];
    let content = noise(1, 300_000);
    // Each try is answered: the first one made the object, the others find it.
    between.set("PUT", "/lost.zip", Act::LoseAnswer);
    assert_eq!(server.put("lost.zip", &content).status, 201);
    between.heal();
    assert!(server.get("/assets/lost.zip").body == content);
    assert_eq!(server.put("lost.zip", &content).status, 409);
    // Nor is it known that the store refused the name; but another object has it.
    between.set("PUT", "/lost.zip", Act::LoseAnswer);
    let answer = server.put("lost.zip", b"other content");
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(answer.json()["sha256"], hex(&content));
}

#[test]
fn a_delete_that_a_lock_forbids_is_403_and_retention_passes_over_it() {
    let Some((between, fleet)) = start(&[("MAX_PACKAGES", "2")]) else {
        return;
    };
    let server = &fleet.servers[0];
    between.set("DELETE", "/locked.zip", error(403, "AccessDenied"));
    assert_eq!(server.put("locked.zip", b"locked").status, 201);
    assert_eq!(delete(server, "locked.zip").status, 403);
    for name in ["a.zip", "b.zip", "c.zip"] {
        assert_eq!(server.put(name, b"content").status, 201);
    }
    // It counts, so that the others make room.
    assert_eq!(server.listed(), ["c.zip", "locked.zip"]);
    assert_eq!(server.get("/assets/locked.zip").body, b"locked");
    between.heal();
    between.set("DELETE", "/locked.zip", error(500, "InternalError"));
    assert_eq!(delete(server, "locked.zip").status, 503);
    between.heal();
    assert_eq!(delete(server, "locked.zip").status, 204);
}

#[test]
fn refused_credentials_keep_reads_up_and_the_server_unready() {
    let Some((between, fleet)) = start(&[]) else {
        return;
    };
    let server = &fleet.servers[0];
    assert_eq!(server.put("a.zip", b"content").status, 201);
    for method in ["GET", "HEAD", "PUT"] {
        between.set(method, "/", error(403, "InvalidAccessKeyId"));
    }
    until(|| {
        assert_eq!(server.listed(), ["a.zip"]);
        assert_eq!(server.get("/assets/a.zip").body, b"content");
        (server.get("/readyz").status == 503).then_some(())
    });
    server.put("b.zip", b"content").assert_error(503, "");
    between.heal();
    until(|| {
        let _ = server.listed();
        (server.get("/readyz").status == 200).then_some(())
    });
    assert_eq!(server.put("b.zip", b"content").status, 201);
}

#[test]
fn an_object_that_is_gone_is_404_and_not_listed_any_more() {
    let Some((between, mut fleet)) = start(&[]) else {
        return;
    };
    assert_eq!(fleet.servers[0].put("gone.zip", b"content").status, 201);
    fleet.add();
    let server = &fleet.servers[1];
    assert_eq!(server.listed(), ["gone.zip"]);
    for method in ["GET", "HEAD"] {
        between.set(method, "/gone.zip", error(404, "NoSuchKey"));
    }
    assert_eq!(server.get("/assets/gone.zip").status, 404);
    between.heal();
    // The bucket is listed again, and still has it.
    until(|| (server.listed() == ["gone.zip"]).then_some(()));
    until(|| (server.get("/assets/gone.zip").status == 200).then_some(()));
}

#[test]
fn a_package_that_is_replaced_before_its_download_is_the_new_one() {
    let Some((_between, mut fleet)) = start(&[]) else {
        return;
    };
    fleet.add();
    let [one, other] = &fleet.servers[..] else {
        unreachable!()
    };
    for round in 0..10_u64 {
        let content = noise(round, 20_000);
        assert!(!other.listed().contains(&"other.zip".to_owned()));
        let answer = one.write("PUT", "/assets/a.zip?overwrite=1", "", &content);
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        // Whether the other server has listed it yet or not.
        let answer = other.get("/assets/a.zip");
        assert_eq!(answer.status, 200, "{answer:?}");
        until(|| (other.get("/assets/a.zip").body == content).then_some(()));
    }
}

#[test]
fn other_bytes_than_the_digest_says_are_not_handed_on_whole() {
    let Some((between, mut fleet)) = start(&[]) else {
        return;
    };
    let content = noise(1, 500_000);
    assert_eq!(fleet.servers[0].put("a.zip", &content).status, 201);
    fleet.add();
    let server = &fleet.servers[1];
    assert_eq!(server.listed(), ["a.zip"]);
    between.set("GET", "/a.zip", Act::Damage);
    let mut connection = server.connect();
    connection.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    let mut received = Vec::new();
    let _ = connection.stream.read_to_end(&mut received);
    let body = memchr::memmem::find(&received, b"\r\n\r\n").map_or(0, |at| at + 4);
    let whole = received.len() - body == content.len() && received.starts_with(b"HTTP/1.1 200");
    assert!(!whole, "a damaged package was handed on");
    between.heal();
    until(|| {
        let answer = server.get("/assets/a.zip");
        (answer.body == content).then_some(())
    });
}

#[test]
fn nobody_waits_long_for_a_name_at_a_store_that_hangs() {
    let Some((between, fleet)) = start(&[]) else {
        return;
    };
    let server = &fleet.servers[0];
    assert_eq!(server.put("a.zip", b"content").status, 201);
    between.set("HEAD", "/", Act::Hang);
    at_once((0..8).map(|number| -> Box<dyn FnOnce() + Send> {
        // Two are asked for, and the others wait for those two. The store is waited for as long
        // as this client waits.
        Box::new(move || {
            let answer = server.get(&format!("/assets/{number}.zip"));
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.try_header("retry-after").is_some());
        })
    }));
    assert_eq!(server.listed(), ["a.zip"]);
    assert_eq!(server.get("/assets/a.zip").body, b"content");
    between.heal();
    until(|| (server.get("/assets/0.zip").status == 404).then_some(()));
}

#[test]
fn one_package_that_cannot_be_read_does_not_keep_the_others_from_being_read() {
    let Some((between, mut fleet)) = start(&[]) else {
        return;
    };
    for name in ["a.zip", "b.zip", "c.zip"] {
        assert_eq!(fleet.servers[0].put(name, &noise(1, 1000)).status, 201);
    }
    between.set("GET", "/b.zip", error(400, "InvalidRequest"));
    fleet.add();
    let server = &fleet.servers[1];
    // The listing's order is the newest first: c, b, a.
    until(|| {
        let answer = server.get("/catalog.json");
        assert_eq!(answer.status, 503, "{answer:?}");
        answer.text().contains(" 1 packages are").then_some(())
    });
    between.heal();
    until(|| (server.get("/catalog.json").status == 200).then_some(()));
}
