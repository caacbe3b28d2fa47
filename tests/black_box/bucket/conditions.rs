//! Stores that refuse conditions or ignore them.

use super::Fleet;
use super::between::{Act, Between, error};
use super::commands::prepared;
use super::failures::{delete, start};
use crate::support::{bucket, until};
use std::io::Read;
use std::process::Stdio;

/// A server that relies on conditions ends at once, with one sentence.
fn assert_refused(fleet: &Fleet) {
    let mut command = prepared(fleet);
    let command = command.env("BUCKET_CREATE", "atomic");
    let mut server = command.stderr(Stdio::piped()).spawn().unwrap();
    let status = until(|| server.try_wait().unwrap());
    let mut why = String::new();
    server.stderr.unwrap().read_to_string(&mut why).unwrap();
    assert_eq!(status.code(), Some(1), "{why}");
    assert!(why.contains("set BUCKET_CREATE=check"), "{why}");
    assert_eq!(why.lines().count(), 1, "{why}");
    println!("{why}");
}

#[test]
fn a_real_store_that_ignores_conditions_is_refused() {
    if bucket::create().as_deref() != Some("check") {
        println!("this store keeps conditions: scripts/bucket-test.sh --store garage has another");
        return;
    }
    assert_refused(&Fleet::start(0, &[]).unwrap());
}

/// As Ceph RGW does.
#[test]
fn a_store_that_does_not_take_if_match_is_named() {
    let Some((between, fleet)) = start(&[]) else {
        return;
    };
    let server = &fleet.servers[0];
    assert_eq!(server.put("a.zip", b"content").status, 201);
    let etag = server.get("/assets/a.zip").header("etag").to_owned();
    let condition = format!("If-Match: {etag}\r\n");
    between.set("PUT", "/a.zip", error(412, "PreconditionFailed"));
    let answer = server.write("PUT", "/assets/a.zip?overwrite=1", &condition, b"new");
    answer.assert_error(503, "");
    server.wait_for_line(|line| line.to_string().contains("send no If-Match"));
    between.heal();
    let answer = server.write("PUT", "/assets/a.zip?overwrite=1", &condition, b"new");
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// As Garage does: it accepts conditions, answers with success, and ignores them.
#[test]
fn a_store_that_ignores_conditions_is_used_by_one_publisher_only() {
    let Some(between) = Between::start() else {
        return;
    };
    let endpoint = [("BUCKET_ENDPOINT", between.endpoint.as_str())];
    let fleet = Fleet::start(0, &endpoint).unwrap();
    let created = "HTTP/1.1 200 X\r\ncontent-length: 0\r\netag: \"1\"\r\nconnection: close\r\n\r\n";
    between.set("PUT", "/probe/", Act::Answer(created.to_owned()));
    assert_refused(&fleet);

    between.heal();
    // No write under a condition is relied on.
    for condition in ["if-none-match: *", "if-match: "] {
        between.set("PUT", condition, error(501, "NotImplemented"));
    }
    let settings = [endpoint[0], ("BUCKET_CREATE", "check")];
    let fleet = Fleet::start(1, &settings).unwrap();
    let server = &fleet.servers[0];
    assert_eq!(server.put("a.zip", b"one").status, 201);
    assert_eq!(server.put("a.zip", b"other").status, 409);
    let answer = server.write("PUT", "/assets/a.zip?overwrite=1", "", b"other");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(server.get("/assets/a.zip").body, b"other");
    assert_eq!(server.put("b.zip", b"two").status, 201);
    assert_eq!(delete(server, "a.zip").status, 204);
    assert_eq!(server.listed(), ["b.zip"]);
}
