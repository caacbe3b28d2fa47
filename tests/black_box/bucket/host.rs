//! What the host of a server contributes to faults: its clock, and the disk with uploads on their
//! way and fetched packages.

use super::Fleet;
use super::between::{Act, Between, error};
use crate::faults::mounts::{Volume, fill};
use crate::support::{TOKEN, bucket, hex, noise, until};
use std::time::Duration;

const METHODS: [&str; 4] = ["GET", "HEAD", "PUT", "DELETE"];

#[test]
fn a_store_with_another_clock_is_asked_with_its_own_time() {
    let Some(between) = Between::start() else {
        return;
    };
    for method in METHODS {
        // The store behind accepts what is signed within a quarter of an hour.
        between.set(method, "/", Act::ClockAhead(Duration::from_mins(10)));
    }
    let settings = [
        ("BUCKET_ENDPOINT", between.endpoint.as_str()),
        ("BUCKET_DOWNLOADS", "redirect"),
    ];
    let fleet = Fleet::start(1, &settings).unwrap();
    let server = &fleet.servers[0];
    until(|| (server.get("/readyz").status == 200).then_some(()));
    server.wait_for_line(|line| line.to_string().contains("this host's clock differs"));
    assert_eq!(server.put("a.zip", b"content").status, 201);
    assert_eq!(server.listed(), ["a.zip"]);
    let answer = server.get("/assets/a.zip");
    let url = answer.header("location");
    let signed = url.split("X-Amz-Date=").nth(1).unwrap();
    let now = release_server::date::rfc3339(std::time::SystemTime::now());
    assert!(
        signed[..15] > now.replace(['-', ':'], "")[..15],
        "{url} at {now}"
    );
    let answer = server.write("DELETE", "/assets/a.zip", "", b"");
    assert_eq!(answer.status, 204, "{answer:?}");
}

#[test]
fn clocks_that_cannot_be_brought_together_refuse_writes_and_keep_reads() {
    let Some(between) = Between::start() else {
        return;
    };
    let fleet = Fleet::start(1, &[("BUCKET_ENDPOINT", between.endpoint.as_str())]).unwrap();
    let server = &fleet.servers[0];
    assert_eq!(server.put("a.zip", b"content").status, 201);
    for method in METHODS {
        // Without a date to correct the clock by.
        between.set(method, "/", error(403, "RequestTimeTooSkewed"));
    }
    let answer = server.put("b.zip", b"content");
    answer.assert_error(503, "");
    assert!(answer.try_header("retry-after").is_some(), "{answer:?}");
    assert_eq!(server.listed(), ["a.zip"]);
    assert_eq!(server.get("/assets/a.zip").body, b"content");
    between.heal();
    until(|| (server.put("b.zip", b"content").status == 201).then_some(()));
}

/// A server with a local disk of 3 MiB.
fn small() -> Option<Volume> {
    if !bucket::is_used() {
        println!("no store: scripts/bucket-test.sh has one");
        return None;
    }
    Some(Volume::new("-t tmpfs -o size=3m none"))
}

#[test]
#[ignore = "needs a mount: scripts/bucket-test.sh"]
fn an_upload_without_room_is_refused_before_its_body() {
    let Some(volume) = small() else {
        return;
    };
    let server = &volume.server;
    let kept = noise(1, 1_000_000);
    assert_eq!(server.put("kept.zip", &kept).status, 201);
    let head = |framing: &str| {
        format!(
            "PUT /assets/big.zip HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
             {framing}\r\n\r\n"
        )
    };
    let mut connection = server.connect();
    connection.send(head("Content-Length: 4000000\r\nExpect: 100-continue").as_bytes());
    let answer = connection.response("PUT");
    answer.assert_error(507, "not enough space");
    // Without a length, the refusal comes midway.
    let mut connection = server.connect();
    connection.send(head("Transfer-Encoding: chunked").as_bytes());
    connection.send(b"3d0900\r\n");
    connection.send(&noise(2, 4_000_000));
    let answer = connection.response("PUT");
    answer.assert_error(507, "not enough space");

    fill(&volume.path("filler"));
    for _ in 0..2 {
        let answer = server.put("b.zip", &noise(3, 2_500_000));
        answer.assert_error(507, "not enough space");
    }
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(server.listed(), ["kept.zip"]);
    std::fs::remove_file(volume.path("filler")).unwrap();
    assert!(server.get("/assets/kept.zip").body == kept, "fetched again");
    assert_eq!(server.put("b.zip", &noise(3, 1_500_000)).status, 201);
    assert_eq!(volume.delete("kept.zip").status, 204);
    assert_eq!(server.listed(), ["b.zip"]);
}

#[test]
#[ignore = "needs a mount: scripts/bucket-test.sh"]
fn cached_packages_make_room_for_uploads_and_fetches() {
    let Some(volume) = small() else {
        return;
    };
    let server = &volume.server;
    let content = |number: u64| noise(number, 1_200_000);
    let name = |number: u64| format!("{number}.zip");
    for number in 0..6 {
        let answer = server.put(&name(number), &content(number));
        assert_eq!(answer.status, 201, "{number}: {answer:?}");
    }
    for number in (0..6).chain(0..6) {
        let answer = server.get(&format!("/assets/{}", name(number)));
        assert_eq!(
            answer.header("etag"),
            format!("\"{}\"", hex(&content(number)))
        );
        assert!(
            answer.body == content(number),
            "{number}: {}",
            answer.status
        );
    }
}
