//! A local disk that hangs.

use super::Fleet;
use crate::faults::strace::Strace;
use crate::support::{TestServer, noise, until};
use std::sync::atomic::{AtomicUsize, Ordering};

const PACKAGES: u64 = 8;
const WORKERS: [&str; 4] = ["worker-0", "worker-1", "worker-2", "worker-3"];

fn hanging(server: &TestServer) -> Vec<Strace> {
    let hanging = "inject=openat:delay_enter=5000000";
    let workers = WORKERS.iter();
    workers
        .map(|worker| Strace::on_thread(server, worker, &["-e", hanging]))
        .collect()
}

#[test]
#[ignore = "needs strace: scripts/bucket-test.sh --long"]
fn a_local_disk_that_hangs_takes_half_of_the_workers() {
    let Some(mut fleet) = Fleet::start(1, &[("WORKERS", "4")]) else {
        return;
    };
    for number in 0..PACKAGES {
        let name = format!("{number}.zip");
        assert_eq!(
            fleet.servers[0].put(&name, &noise(number, 100_000)).status,
            201
        );
    }
    fleet.add();
    let [cached, empty] = &fleet.servers[..] else {
        unreachable!()
    };
    assert_eq!(cached.listed().len(), 8);
    assert_eq!(empty.listed().len(), 8);
    let faults = hanging(cached);
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..PACKAGES {
            let (cached, answered) = (&*cached, &answered);
            scope.spawn(move || {
                let answer = cached.get(&format!("/assets/{number}.zip"));
                // What has not begun may be refused.
                if answer.status == 200 {
                    assert!(answer.body == noise(number, 100_000));
                    answered.fetch_add(1, Ordering::Relaxed);
                } else {
                    answer.assert_error(503, "disk does not answer");
                }
            });
        }
        // Two hang, and one answers this.
        until(|| (cached.metric("release_server_workers_busy") >= 3).then_some(()));
        for _ in 0..20 {
            assert_eq!(cached.get("/healthz").status, 200);
        }
        assert_eq!(cached.listed().len(), 8);
        assert_eq!(answered.load(Ordering::Relaxed), 0, "two calls still hang");
    });
    drop(faults);
    assert!(answered.into_inner() >= 2, "what has begun is completed");

    // The file of a fetch is made by its own thread.
    let faults = hanging(empty);
    std::thread::scope(|scope| {
        for number in 0..PACKAGES {
            scope.spawn(move || {
                let answer = empty.get(&format!("/assets/{number}.zip"));
                assert!(matches!(answer.status, 200 | 503), "{answer:?}");
            });
        }
        until(|| (empty.metric("release_server_store_cache_misses_total") == 8).then_some(()));
        for _ in 0..20 {
            assert_eq!(empty.get("/healthz").status, 200);
        }
        assert_eq!(empty.listed().len(), 8);
    });
    drop(faults);
}
