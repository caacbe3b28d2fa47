//! Several servers before one bucket: rivals, deletes and retention, and what each lists of the
//! others' changes.

use super::Fleet;
use crate::support::{TestServer, hex, noise, until};
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const SERVERS: usize = 4;
const PUBLISHERS: usize = 20;
const PACKAGES_EACH: usize = 20;

/// The names and contents that must be there.
type Expected = Mutex<BTreeMap<String, Vec<u8>>>;

fn content(publisher: usize, step: usize) -> Vec<u8> {
    let seed = publisher * 1000 + step;
    noise(seed as u64, 2000 + seed % 20_000)
}

/// Publishes packages of its own, one name in ten together with all others, and deletes some.
fn publish(
    server: &TestServer,
    (publisher, packages): (usize, usize),
    together: &Barrier,
    expected: &Expected,
) {
    for step in 0..packages {
        let content = content(publisher, step);
        let is_rival = step % 10 == 0;
        let name = if is_rival {
            together.wait();
            format!("rival-{step}.zip")
        } else {
            format!("{publisher}-{step}.zip")
        };
        let answer = server.put(&name, &content);
        match answer.status {
            201 => {
                let before = expected.lock().unwrap().insert(name.clone(), content);
                assert!(before.is_none(), "two winners of {name}");
            }
            409 if is_rival => assert_eq!(answer.json()["sha256"].as_str().unwrap().len(), 64),
            _ => panic!("{name}: {answer:?}"),
        }
        if step % 17 == 5 {
            let path = format!("/assets/{name}");
            assert_eq!(server.write("DELETE", &path, "", b"").status, 204);
            expected.lock().unwrap().remove(&name);
        }
    }
}

#[test]
fn many_publishers_at_four_servers_lose_nothing() {
    let Some(fleet) = Fleet::start(SERVERS, &[("MAX_PACKAGES", "0")]) else {
        return;
    };
    let each = std::env::var("TEST_PACKAGES_EACH");
    let each = each.map_or(PACKAGES_EACH, |each| each.parse().unwrap());
    let (together, expected) = (Barrier::new(PUBLISHERS), Expected::default());
    std::thread::scope(|scope| {
        for publisher in 0..PUBLISHERS {
            let server = &fleet.servers[publisher % SERVERS];
            let (together, expected) = (&together, &expected);
            scope.spawn(move || publish(server, (publisher, each), together, expected));
        }
    });
    let ended = Instant::now();
    let expected = expected.into_inner().unwrap();
    let rivals = expected
        .keys()
        .filter(|name| name.starts_with("rival"))
        .count();
    assert_eq!(rivals, each / 10, "each name has one winner");
    for server in &fleet.servers {
        let names: Vec<&String> = expected.keys().collect();
        until(|| {
            let mut listed = server.listed();
            listed.sort();
            (listed.iter().collect::<Vec<_>>() == names).then_some(())
        });
    }
    println!(
        "{} packages, listed by all {SERVERS} servers after {:?}",
        expected.len(),
        ended.elapsed()
    );
    for (at, (name, content)) in expected.iter().enumerate() {
        let answer = fleet.servers[at % SERVERS].get(&format!("/assets/{name}"));
        assert!(answer.body == *content, "{name}: {}", answer.status);
        assert_eq!(answer.header("etag"), format!("\"{}\"", hex(content)));
    }
}

#[test]
fn a_change_is_listed_by_the_other_servers() {
    let Some(fleet) = Fleet::start(2, &[]) else {
        return;
    };
    let (one, other) = (&fleet.servers[0], &fleet.servers[1]);
    let mut longest = Duration::ZERO;
    for round in 0..5 {
        let name = format!("{round}.zip");
        assert_eq!(one.put(&name, b"content").status, 201);
        let published = Instant::now();
        until(|| other.listed().contains(&name).then_some(()));
        longest = longest.max(published.elapsed());
        assert_eq!(
            other
                .write("DELETE", &format!("/assets/{name}"), "", b"")
                .status,
            204
        );
        let deleted = Instant::now();
        until(|| (!one.listed().contains(&name)).then_some(()));
        longest = longest.max(deleted.elapsed());
        assert_eq!(one.get(&format!("/assets/{name}")).status, 404);
    }
    println!("changes were listed by the other server after at most {longest:?}");
}

#[test]
fn a_name_that_is_not_listed_yet_is_looked_up() {
    let Some(fleet) = Fleet::start(2, &[]) else {
        return;
    };
    for round in 0..5 {
        let name = format!("{round}.zip");
        assert_eq!(fleet.servers[0].put(&name, b"content").status, 201);
        let answer = fleet.servers[1].get(&format!("/assets/{name}"));
        assert_eq!((answer.status, &answer.body[..]), (200, &b"content"[..]));
    }
}

#[test]
fn retention_at_several_servers_keeps_the_newest() {
    let Some(fleet) = Fleet::start(3, &[("MAX_PACKAGES", "10")]) else {
        return;
    };
    std::thread::scope(|scope| {
        for (number, server) in fleet.servers.iter().enumerate() {
            scope.spawn(move || {
                for step in 0..30 {
                    let name = format!("{number}-{step}.zip");
                    assert_eq!(server.put(&name, &noise(step, 1000)).status, 201);
                }
            });
        }
    });
    // What rivals left too much is removed by the next publish.
    assert_eq!(fleet.servers[0].put("last.zip", b"last").status, 201);
    for server in &fleet.servers {
        until(|| {
            let listed = server.listed();
            (listed.len() == 10 && listed[0] == "last.zip").then_some(())
        });
    }
    let newest = fleet.servers[1].listed();
    let is_late = |name: &String| {
        let step = name.trim_end_matches(".zip").split('-').nth(1);
        step.is_none_or(|step| step.parse::<u32>().unwrap() >= 15)
    };
    assert!(newest.iter().all(is_late), "{newest:?}");
}

#[test]
fn the_last_overwrite_is_what_all_servers_serve() {
    let Some(fleet) = Fleet::start(3, &[]) else {
        return;
    };
    std::thread::scope(|scope| {
        for (number, server) in fleet.servers.iter().enumerate() {
            scope.spawn(move || {
                for step in 0..10 {
                    let content = noise((number * 100 + step) as u64, 5000);
                    let answer = server.write("PUT", "/assets/a.zip?overwrite=1", "", &content);
                    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                }
            });
        }
    });
    let last = noise(12345, 7000);
    let answer = fleet.servers[2].write("PUT", "/assets/a.zip?overwrite=1", "", &last);
    assert_eq!(answer.status, 200);
    for server in &fleet.servers {
        until(|| {
            let answer = server.get("/assets/a.zip");
            let etag = answer.header("etag").to_owned();
            assert_eq!(etag, format!("\"{}\"", hex(&answer.body)));
            (answer.body == last).then_some(())
        });
    }
}
