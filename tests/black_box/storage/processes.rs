//! Several processes over one directory: rivals, retention, and changes that each sees of the
//! others.

use crate::support::{TestServer, hex, noise, until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Barrier;

fn servers(
    directory: &tempfile::TempDir,
    count: usize,
    settings: &[(&str, &str)],
) -> Vec<TestServer> {
    (0..count)
        .map(|_| TestServer::over(directory.path(), settings))
        .collect()
}

#[test]
fn of_rivals_for_a_name_exactly_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let servers = servers(&directory, 4, &[]);
    for round in 0..20 {
        let name = format!("{round}.zip");
        let barrier = Barrier::new(servers.len());
        let statuses: Vec<(u16, u64)> = std::thread::scope(|scope| {
            let rival = |(seed, server): (u64, &TestServer)| {
                barrier.wait();
                (server.put(&name, &noise(seed, 5000)).status, seed)
            };
            let rivals: Vec<_> = (1u64..)
                .zip(&servers)
                .map(|rival_of| scope.spawn(move || rival(rival_of)))
                .collect();
            rivals
                .into_iter()
                .map(|rival| rival.join().unwrap())
                .collect()
        });
        let winners: Vec<_> = statuses
            .iter()
            .filter(|(status, _)| *status == 201)
            .collect();
        assert_eq!(winners.len(), 1, "{statuses:?}");
        assert!(
            statuses
                .iter()
                .all(|(status, _)| matches!(status, 201 | 409))
        );
        let content = noise(winners[0].1, 5000);
        for server in &servers {
            let answer = server.get(&format!("/assets/{name}"));
            assert!(answer.body == content, "not the winner's bytes");
            assert_eq!(answer.header("etag"), format!("\"{}\"", hex(&content)));
        }
    }
}

#[test]
fn replacing_and_deleting_at_once_never_shows_a_wrong_checksum() {
    let directory = tempfile::tempdir().unwrap();
    let servers = servers(&directory, 2, &[]);
    std::thread::scope(|scope| {
        for (seed, server) in (1u64..).zip(&servers) {
            scope.spawn(move || {
                for round in 0..40 {
                    let content =
                        noise(seed * 1000 + round, 3000 + usize::try_from(round).unwrap());
                    let answer = server.write("PUT", "/assets/a.zip?overwrite=1", "", &content);
                    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                    if round % 7 == 0 {
                        let answer = server.write("DELETE", "/assets/a.zip", "", b"");
                        assert!(matches!(answer.status, 204 | 404), "{answer:?}");
                    }
                }
            });
            scope.spawn(move || {
                for _ in 0..200 {
                    let answer = server.get("/assets/a.zip");
                    if answer.status != 200 {
                        answer.assert_error(404, "Not Found");
                    } else if answer.try_header("repr-digest").is_some() {
                        assert_eq!(answer.header("etag"), format!("\"{}\"", hex(&answer.body)));
                    }
                }
            });
        }
    });
    let content = servers[0].get("/assets/a.zip").body;
    for server in &servers {
        until(|| {
            let release = server.get("/latest").json();
            let digest = format!("sha256:{}", hex(&content));
            (release["assets"][0]["digest"] == digest).then_some(())
        });
    }
}

#[test]
fn retention_holds_among_all_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let servers = servers(&directory, 2, &[("MAX_PACKAGES", "7")]);
    std::thread::scope(|scope| {
        for (number, server) in servers.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..30 {
                    let answer = server.put(&format!("{number}-{round}.zip"), b"1");
                    assert_eq!(answer.status, 201);
                }
            });
        }
    });
    assert_eq!(
        servers[0].stored().len(),
        14,
        "seven packages and their sidecars"
    );
    for server in &servers {
        until(|| (server.listed().len() == 7).then_some(()));
    }
}

/// The name, size and checksum of every listed package.
fn listed(server: &TestServer) -> BTreeMap<String, (u64, String)> {
    let release = server.get("/latest").json();
    let assets = release["assets"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or("no checksum").to_owned();
    let entry = |asset: Value| {
        let size = asset["size"].as_u64().unwrap();
        (text(&asset["name"]), (size, text(&asset["digest"])))
    };
    assets.into_iter().map(entry).collect()
}

/// Without waiting, also for several changes within one tick of the file system's clock, and for a
/// new file that got the inode of the old one.
#[test]
fn an_answered_change_is_in_the_next_list_of_every_process() {
    let directory = tempfile::tempdir().unwrap();
    let servers = servers(&directory, 3, &[]);
    let mut expected = BTreeMap::new();
    for round in 0..120_u64 {
        let server = &servers[usize::try_from(round).unwrap() % servers.len()];
        let name = format!("{}.zip", round % 4);
        let path = format!("/assets/{name}");
        if round % 5 == 4 && expected.contains_key(&name) {
            assert_eq!(server.write("DELETE", &path, "", b"").status, 204);
            expected.remove(&name);
        } else {
            let content = noise(round, 10 + usize::try_from(round % 3).unwrap());
            let answer = server.write("PUT", &format!("{path}?overwrite=1"), "", &content);
            assert!(matches!(answer.status, 200 | 201), "{answer:?}");
            let size = content.len() as u64;
            expected.insert(name, (size, format!("sha256:{}", hex(&content))));
        }
        for server in &servers {
            assert_eq!(listed(server), expected, "round {round}");
        }
    }
}

#[test]
fn a_held_lock_is_awaited_for_a_bounded_time() {
    let server = TestServer::start();
    let lock = std::fs::File::open(server.storage()).unwrap();
    lock.lock().unwrap();
    let answer = server.put("a.zip", b"1");
    answer.assert_error(503, "lock");
    answer.header("retry-after");
    assert_eq!(server.get("/healthz").status, 200);
    drop(lock);
    let published = until(|| Some(server.put("a.zip", b"1")).filter(|answer| answer.status == 201));
    assert_eq!(published.json()["name"], "a.zip");
}

#[test]
fn a_change_of_another_process_is_in_the_very_next_list() {
    let directory = tempfile::tempdir().unwrap();
    let one = TestServer::over(directory.path(), &[]);
    let other = TestServer::over(directory.path(), &[]);
    for number in 0..30 {
        let name = format!("{number}.zip");
        assert_eq!(one.put(&name, b"1").status, 201);
        let listed = other.listed();
        assert!(listed.contains(&name), "{name} is not in {listed:?}");
        if number % 3 == 0 {
            let path = format!("/assets/{name}");
            assert_eq!(other.write("DELETE", &path, "", b"").status, 204);
            let listed = one.listed();
            assert!(!listed.contains(&name), "{name} is in {listed:?}");
        }
    }
}

#[test]
fn two_changes_wait_for_one_lock_and_both_are_made() {
    let server = TestServer::start();
    let lock = std::fs::File::open(server.storage()).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let changes = ["a.zip", "b.zip"].map(|name| scope.spawn(|| server.put(name, b"1").status));
        // Reads go on meanwhile, and nothing is made.
        for _ in 0..5 {
            assert_eq!(server.get("/latest").status, 200);
        }
        assert_eq!(server.listed(), [""; 0]);
        drop(lock);
        assert_eq!(changes.map(|change| change.join().unwrap()), [201, 201]);
    });
}

/// Changes that wait for the lock are made as one group, in the order of their arrival.
#[test]
fn changes_that_wait_together_are_made_together() {
    let server = TestServer::with(&[("MAX_PACKAGES", "3")]);
    for number in 0..3 {
        assert_eq!(server.put(&format!("old-{number}.zip"), b"old").status, 201);
    }
    let lock = std::fs::File::open(server.storage()).unwrap();
    lock.lock().unwrap();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let publish = |number: usize| server.put(&format!("new-{}.zip", number % 4), b"new");
        let waiting: Vec<_> = (0..8)
            .map(|number| scope.spawn(move || publish(number)))
            .collect();
        until(|| (server.metric("release_server_connections_open") > 8).then_some(()));
        drop(lock);
        waiting
            .into_iter()
            .map(|answer| answer.join().unwrap())
            .collect()
    });
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let won: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 409).count(),
        8 - won.len()
    );
    let removed = won.iter().flat_map(|answer| {
        let json = answer.json();
        json["removed"].as_array().unwrap().clone()
    });
    let mut removed: Vec<String> = removed
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    removed.sort();
    removed.dedup();
    // Three of the seven names are left, and each other one was reported once.
    assert_eq!(server.listed().len(), 3);
    assert_eq!(removed.len(), won.len(), "{removed:?}");
    assert!(
        server
            .listed()
            .iter()
            .all(|name| !removed.contains(name) || name.starts_with("new"))
    );
}
