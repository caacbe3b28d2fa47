//! Downloads by way of the cache: fetched once, evicted by size, resumed, and compared.

use super::Fleet;
use crate::support::{noise, until};
use std::sync::Barrier;

#[test]
fn a_package_is_fetched_once_however_many_ask() {
    let Some(mut fleet) = Fleet::start(1, &[]) else {
        return;
    };
    let content = noise(1, 5_000_000);
    assert_eq!(fleet.servers[0].put("a.zip", &content).status, 201);
    fleet.add();
    let server = &fleet.servers[1];
    let together = Barrier::new(16);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                together.wait();
                let answer = server.get("/assets/a.zip");
                assert_eq!(answer.status, 200);
                assert!(answer.body == content);
            });
        }
    });
    let fetched = server.metric("release_server_store_received_bytes_total");
    assert!(fetched < 6_000_000, "{fetched} bytes were received");
}

#[test]
fn ranges_and_conditions_hold_for_a_package_that_is_not_cached() {
    let Some(mut fleet) = Fleet::start(1, &[]) else {
        return;
    };
    let content = noise(1, 1_000_000);
    assert_eq!(fleet.servers[0].put("a.zip", &content).status, 201);
    fleet.add();
    let server = &fleet.servers[1];
    let head = server.request("HEAD", "/assets/a.zip", "", b"");
    assert_eq!(head.header("content-length"), "1000000");
    let etag = format!("If-None-Match: {}\r\n", head.header("etag"));
    assert_eq!(
        server.request("GET", "/assets/a.zip", &etag, b"").status,
        304
    );
    assert!(
        server
            .get("/assets/a.zip.sha256")
            .text()
            .ends_with("  a.zip\n")
    );
    // Not the received bytes: the end of an archive is read in the background, for its manifest.
    let misses = || server.metric("release_server_store_cache_misses_total");
    assert_eq!(misses(), 0, "nothing is fetched for these");
    let range = "Range: bytes=900000-\r\n";
    let part = server.request("GET", "/assets/a.zip", range, b"");
    assert_eq!(part.status, 206);
    assert!(part.body == content[900_000..]);
    assert_eq!(misses(), 1);
    let last = server.request("GET", "/assets/a.zip", "Range: bytes=-1\r\n", b"");
    assert!(last.body == content[999_999..]);
}

#[test]
fn the_cache_keeps_to_its_size() {
    let Some(mut fleet) = Fleet::start(1, &[]) else {
        return;
    };
    for number in 0..8 {
        let name = format!("{number}.zip");
        assert_eq!(
            fleet.servers[0].put(&name, &noise(number, 300_000)).status,
            201
        );
    }
    fleet
        .settings
        .push(("BUCKET_CACHE_SIZE", "1MiB".to_owned()));
    fleet.add();
    let server = &fleet.servers[1];
    for round in 0..2 {
        for number in 0..8 {
            let answer = server.get(&format!("/assets/{number}.zip"));
            assert!(answer.body == noise(number, 300_000), "round {round}");
        }
    }
    let cached = server.metric("release_server_store_cached_bytes");
    assert!(cached <= 1024 * 1024, "{cached}");
    assert!(cached >= 600_000, "{cached}");
}

#[test]
fn a_package_larger_than_the_cache_is_shared_while_it_is_received() {
    const BYTES: usize = 20_000_000;
    let Some(mut fleet) = Fleet::start(1, &[("BUCKET_CACHE_SIZE", "1MiB")]) else {
        return;
    };
    let content = noise(1, BYTES);
    assert_eq!(fleet.servers[0].put("a.zip", &content).status, 201);
    fleet.add();
    let server = &fleet.servers[1];
    let received = || server.metric("release_server_store_received_bytes_total");
    // More than fits into the sockets: this client is not through when all is fetched.
    let mut slow = server.connect();
    slow.send(b"GET /assets/a.zip HTTP/1.1\r\nHost: test\r\n\r\n");
    let head = slow.head();
    until(|| (received() >= BYTES as u64).then_some(()));
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                together.wait();
                assert!(server.get("/assets/a.zip").body == content);
            });
        }
    });
    let once = received();
    assert!(once < 2 * BYTES as u64, "{once} bytes were received");
    assert!(slow.body_of(head, "GET").body == content);
    drop(slow);
    assert_eq!(server.metric("release_server_store_cached_bytes"), 0);
    assert!(server.get("/assets/a.zip").body == content, "fetched again");
}

#[test]
fn redirects_send_plain_downloads_to_the_store() {
    let Some(fleet) = Fleet::start(1, &[("BUCKET_DOWNLOADS", "redirect")]) else {
        return;
    };
    let server = &fleet.servers[0];
    let content = noise(1, 100_000);
    assert_eq!(server.put("a%20b.zip", &content).status, 201);
    let answer = server.get("/assets/a%20b.zip");
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("cache-control"), "no-store");
    let url = answer.header("location").to_owned();
    let fetched = std::process::Command::new("curl")
        .args(["--silent", "--fail", &url])
        .output()
        .unwrap();
    assert!(fetched.status.success(), "{url}");
    assert!(fetched.stdout == content);
    for headers in [
        "Authorization: Bearer somebody's\r\n",
        "Range: bytes=0-9\r\n",
        "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n",
    ] {
        let answer = server.request("GET", "/assets/a%20b.zip", headers, b"");
        assert!(matches!(answer.status, 200 | 206), "{headers}");
    }
    let head = server.request("HEAD", "/assets/a%20b.zip", "", b"");
    assert_eq!(head.status, 200);
}
