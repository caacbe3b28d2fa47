//! A store that does not answer, answers slowly or loses its answers.

use super::Fleet;
use super::link::Link;
use crate::support::{noise, until};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A server that is ready, and the link between it and its store.
fn start(name: &str) -> Option<(Link, Fleet)> {
    let link = Link::new(name)?;
    let fleet = Fleet::start(1, &[("BUCKET_ENDPOINT", &link.endpoint)])?;
    until(|| (fleet.servers[0].get("/readyz").status == 200).then_some(()));
    Some((link, fleet))
}

#[test]
fn reads_go_on_while_the_store_is_away_and_writes_resume_after() {
    let Some((link, fleet)) = start("outage") else {
        return;
    };
    let server = &fleet.servers[0];
    let content = noise(1, 100_000);
    assert_eq!(server.put("cached.zip", &content).status, 201);
    assert!(server.get("/assets/cached.zip").body == content);
    link.set_up(false);
    for _ in 0..3 {
        assert_eq!(server.listed(), ["cached.zip"]);
        assert!(server.get("/assets/cached.zip").body == content);
        assert_eq!(
            server.get("/readyz").status,
            200,
            "a short outage keeps reads up"
        );
        let answer = server.put("new.zip", b"new");
        answer.assert_error(503, "");
        assert_eq!(answer.header("retry-after"), "2");
        let answer = server.write("DELETE", "/assets/cached.zip", "", b"");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(
            server.get("/assets/unknown.zip").status,
            503,
            "it may be there"
        );
    }
    link.set_up(true);
    until(|| (server.put("new.zip", b"new").status == 201).then_some(()));
    until(|| (server.listed() == ["new.zip", "cached.zip"]).then_some(()));
    until(|| (server.get("/assets/unknown.zip").status == 404).then_some(()));
}

/// For so many seconds; `scripts/bucket-test.sh --long` sets more.
const OUTAGE_SECONDS: &str = "TEST_OUTAGE_SECONDS";

#[test]
fn under_load_reads_go_on_and_writes_are_refused_until_the_store_is_back() {
    let Some((link, fleet)) = start("outage-load") else {
        return;
    };
    let seconds = std::env::var(OUTAGE_SECONDS).map_or(2, |seconds| seconds.parse().unwrap());
    let server = &fleet.servers[0];
    let content = noise(1, 50_000);
    assert_eq!(server.put("cached.zip", &content).status, 201);
    let is_ended = AtomicBool::new(false);
    let (reads, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_ended.load(Ordering::Relaxed) {
                    assert!(server.listed().contains(&"cached.zip".to_owned()));
                    assert!(server.get("/assets/cached.zip").body == content);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for writer in 0..4 {
            let (is_ended, refused) = (&is_ended, &refused);
            scope.spawn(move || {
                for step in 0.. {
                    if is_ended.load(Ordering::Relaxed) {
                        return;
                    }
                    let answer = server.put(&format!("{writer}-{step}.zip"), b"content");
                    if answer.status != 201 {
                        assert_eq!(answer.status, 503, "{answer:?}");
                        assert!(answer.try_header("retry-after").is_some());
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        link.set_up(false);
        std::thread::sleep(Duration::from_secs(seconds));
        until(|| (refused.load(Ordering::Relaxed) >= 4).then_some(()));
        let before = reads.load(Ordering::Relaxed);
        until(|| (reads.load(Ordering::Relaxed) > before).then_some(()));
        link.set_up(true);
        until(|| (server.put("after.zip", b"after").status == 201).then_some(()));
        is_ended.store(true, Ordering::Relaxed);
    });
    until(|| {
        server
            .listed()
            .contains(&"after.zip".to_owned())
            .then_some(())
    });
    println!("{reads:?} reads, {refused:?} refused writes");
}

#[test]
fn a_lost_answer_to_a_publish_is_neither_a_lost_nor_a_doubled_publish() {
    let Some((link, fleet)) = start("lost-answer") else {
        return;
    };
    let server = &fleet.servers[0];
    for round in 0..5 {
        let name = format!("{round}.zip");
        let content = noise(round, 200_000);
        // The store gets all of the request and asks for its body; its answer is cut in its head.
        link.poison("limit_data", r#"{"bytes":60}"#);
        let answer = server.put(&name, &content);
        link.heal("limit_data");
        assert!(matches!(answer.status, 201 | 503), "{answer:?}");
        if answer.status == 503 {
            // Whether it was stored is not known: then the name is taken by these very bytes.
            until(|| matches!(server.put(&name, &content).status, 201 | 409).then_some(()));
        }
        until(|| (server.get(&format!("/assets/{name}")).body == content).then_some(()));
    }
}

#[test]
fn slow_bytes_of_the_store_are_handed_on_as_they_arrive() {
    let Some((link, mut fleet)) = start("slow") else {
        return;
    };
    let content = noise(1, 3_000_000);
    assert_eq!(fleet.servers[0].put("slow.zip", &content).status, 201);
    fleet.add();
    // In KB/s: some two seconds for all.
    link.poison("bandwidth", r#"{"rate":1500}"#);
    let server = &fleet.servers[1];
    let mut connection = server.connect();
    connection.send(b"GET /assets/slow.zip HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    let first = std::time::Instant::now();
    let mut byte = [0; 1];
    std::io::Read::read_exact(&mut connection.stream, &mut byte).unwrap();
    let first = first.elapsed();
    let mut rest = Vec::new();
    let all = std::time::Instant::now();
    std::io::Read::read_to_end(&mut connection.stream, &mut rest).unwrap();
    println!(
        "the first byte after {first:?}, the last {:?} later",
        all.elapsed()
    );
    assert!(rest.ends_with(&content), "{} bytes", rest.len());
    link.heal("bandwidth");
}

#[test]
fn a_cut_connection_is_resumed_within_a_download() {
    let Some((link, mut fleet)) = start("cut") else {
        return;
    };
    let content = noise(1, 3_000_000);
    assert_eq!(fleet.servers[0].put("cut.zip", &content).status, 201);
    fleet.add();
    // Each connection ends after that many bytes.
    link.poison("limit_data", r#"{"bytes":1000000}"#);
    let answer = fleet.servers[1].get("/assets/cut.zip");
    link.heal("limit_data");
    assert!(answer.body == content, "{} bytes", answer.body.len());
}
