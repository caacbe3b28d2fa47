//! Servers that are killed at random while they publish: what was answered with success is there,
//! whole, with its digest.

use super::Fleet;
use super::commands::run;
use crate::support::{TestServer, hex, noise, until};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SERVERS: usize = 4;
const PUBLISHERS: u64 = 8;

/// What must be under a name: any of these, of which `None` is nothing. There are several after a
/// request without an answer.
type Possible = Vec<Option<Vec<u8>>>;

struct Slot(Mutex<Arc<TestServer>>);

impl Slot {
    fn server(&self) -> Arc<TestServer> {
        Arc::clone(&self.0.lock().unwrap())
    }
}

/// Changes names of its own until the end.
fn change(slots: &[Slot], publisher: u64, is_ended: &AtomicBool) -> HashMap<String, Possible> {
    let mut expected = HashMap::<String, Possible>::new();
    for step in 0_u64.. {
        if is_ended.load(Ordering::Relaxed) {
            break;
        }
        let slot = usize::try_from(publisher + step).unwrap() % SERVERS;
        let server = slots[slot].server();
        let name = format!("{publisher}-{}.zip", step % 50);
        let path = format!("/assets/{name}");
        let content = noise(
            publisher << 32 | step,
            1000 + 37 * (usize::try_from(step % 1000).unwrap()),
        );
        let authorization = "Authorization: Bearer a-test-token\r\n";
        let (answer, after) = if step % 7 == 6 {
            (
                server.try_request("DELETE", &path, authorization, b""),
                None,
            )
        } else {
            let path = format!("{path}?overwrite=1");
            let answer = server.try_request("PUT", &path, authorization, &content);
            (answer, Some(content))
        };
        let possible = expected.entry(name).or_insert_with(|| vec![None]);
        match answer.map(|answer| answer.status) {
            Some(200 | 201 | 204) => *possible = vec![after],
            Some(404) if after.is_none() => *possible = vec![None],
            // Whether it was made is not known.
            None | Some(503) => {
                possible.push(after);
                std::thread::sleep(Duration::from_millis(20));
            }
            Some(status) => panic!("{path}: {status}"),
        }
    }
    expected
}

/// For five seconds, or so many.
#[test]
fn what_was_answered_is_there_after_kills() {
    let seconds = std::env::var("TEST_KILLS_SECONDS").map_or(5, |seconds| seconds.parse().unwrap());
    let Some(mut fleet) = Fleet::start(SERVERS, &[("MAX_PACKAGES", "0")]) else {
        return;
    };
    let started = std::mem::take(&mut fleet.servers).into_iter();
    let slots: Vec<Slot> = started.map(|it| Slot(Mutex::new(Arc::new(it)))).collect();
    let (is_ended, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    let expected: HashMap<String, Possible> = std::thread::scope(|scope| {
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                scope.spawn({
                    let (slots, is_ended) = (&slots, &is_ended);
                    move || change(slots, publisher, is_ended)
                })
            })
            .collect();
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end {
            let random = RandomState::new().hash_one(0);
            std::thread::sleep(Duration::from_millis(random % 700));
            let slot = usize::try_from(random >> 32).unwrap() % SERVERS;
            slots[slot].server().signal("KILL");
            let kill = kills.fetch_add(1, Ordering::Relaxed);
            // With the local directory of the killed one, or with an empty one.
            let own = if kill % 2 == 0 { slot } else { SERVERS + kill };
            *slots[slot].0.lock().unwrap() = Arc::new(fleet.start_over(&format!("server-{own}")));
        }
        is_ended.store(true, Ordering::Relaxed);
        publishers
            .into_iter()
            .flat_map(|it| it.join().unwrap())
            .collect()
    });
    let present = compare(&slots, &expected);
    let verified = run(&fleet, &["verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(!text.contains("no checksum"), "{text}");
    println!(
        "{kills:?} kills, {} names, {present} packages in the end",
        expected.len()
    );
}

/// Compares what all servers have; the number of packages.
fn compare(slots: &[Slot], expected: &HashMap<String, Possible>) -> usize {
    let mut present = 0;
    for (at, (name, possible)) in expected.iter().enumerate() {
        let server = slots[at % SERVERS].server();
        let found = until(|| match server.get(&format!("/assets/{name}")) {
            answer if answer.status == 404 => Some(None),
            answer if answer.status == 200 => {
                assert_eq!(answer.header("etag"), format!("\"{}\"", hex(&answer.body)));
                let is_new = possible.contains(&Some(answer.body.clone()));
                is_new.then_some(Some(answer.body))
            }
            _ => None,
        });
        assert!(possible.contains(&found), "{name} is missing");
        present += usize::from(found.is_some());
    }
    for slot in slots {
        until(|| (slot.server().listed().len() == present).then_some(()));
    }
    present
}
