//! Several processes over one directory: rivals, retention, and changes that each sees of the
//! others.

use crate::support::{TestServer, hex, noise, until};
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

#[test]
fn a_package_of_one_process_is_listed_by_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let servers = servers(&directory, 2, &[]);
    for number in 0..10 {
        let name = format!("{number}.zip");
        assert_eq!(servers[number % 2].put(&name, b"1").status, 201);
        for server in &servers {
            until(|| server.listed().contains(&name).then_some(()));
        }
    }
}

#[test]
fn a_package_published_anew_is_never_listed_with_the_checksum_before() {
    let directory = tempfile::tempdir().unwrap();
    let servers = servers(&directory, 2, &[]);
    let (writer, reader) = (&servers[0], &servers[1]);
    for round in 0..20 {
        assert_eq!(
            writer
                .put("a.zip", format!("before {round}").as_bytes())
                .status,
            201
        );
        let marker = format!("{round}.zip");
        until(|| reader.listed().contains(&"a.zip".to_owned()).then_some(()));
        // Many file systems reuse a freed inode for the next file.
        assert_eq!(writer.write("DELETE", "/assets/a.zip", "", b"").status, 204);
        let content = format!("after {round}");
        assert_eq!(writer.put("a.zip", content.as_bytes()).status, 201);
        assert_eq!(writer.put(&marker, b"1").status, 201);
        let release = until(|| {
            let release = reader.get("/latest").json();
            let assets = release["assets"].as_array().unwrap();
            assets
                .iter()
                .any(|asset| asset["name"] == marker)
                .then_some(release)
        });
        let assets = release["assets"].as_array().unwrap();
        let listed = assets
            .iter()
            .find(|asset| asset["name"] == "a.zip")
            .unwrap();
        assert_eq!(
            listed["digest"],
            format!("sha256:{}", hex(content.as_bytes()))
        );
        assert_eq!(writer.write("DELETE", "/assets/a.zip", "", b"").status, 204);
        until(|| (!reader.listed().contains(&"a.zip".to_owned())).then_some(()));
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
