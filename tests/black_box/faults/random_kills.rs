//! SIGKILL at random moments while several clients publish, replace and delete, one of them midway
//! through a body.

use super::ledger::Ledger;
use super::{Start, kills, over_without_proc, try_upload, try_write};
use crate::support::{TOKEN, TestServer, noise, until};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

const CLIENTS: usize = 4;
const UNLIMITED: [(&str, &str); 1] = [("MAX_PACKAGES", "0")];
const SHORT_RUN_KILLS: usize = 5;

/// Publishes, replaces and deletes packages of its own until the server stops answering. `seed`
/// differs for all clients and kills.
fn client(server: &TestServer, number: usize, seed: usize, shared: &Shared) {
    for step in 0.. {
        let seed = (seed * 1_000_000 + step) as u64;
        let random = noise(seed, 4);
        let name = format!("{number}-{}.zip", random[0] % 3);
        let path = format!("/assets/{name}");
        let length = 1 + usize::from(random[1]) * usize::from(random[2]) * 10;
        let content = noise(seed, length);
        let wanted = (!random[3].is_multiple_of(4)).then_some(content.clone());
        shared.ledger().may_become(&name, wanted);
        let answer = match random[3] % 4 {
            0 => try_write(server, "DELETE", &path, b""),
            1 => try_upload(server, &name, &content),
            _ => try_write(server, "PUT", &format!("{path}?overwrite=1"), &content),
        };
        match answer.map(|answer| answer.status) {
            None => return,
            Some(200 | 201 | 204) => shared.ledger().happened(&name),
            // There is nothing to delete, or the form lacks `overwrite`.
            Some(404 | 409) => shared.ledger().stayed(&name),
            Some(other) => panic!("{name}: {other}"),
        }
        shared.answers.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Shared {
    ledger: Mutex<Ledger>,
    answers: AtomicUsize,
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }
}

/// Sends half a body and waits for the end.
fn half_an_upload(server: &TestServer) {
    let Some(mut connection) = server.try_connect() else {
        return;
    };
    let head = format!(
        "PUT /assets/half.zip HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: 100000\r\n\r\n"
    );
    connection.send(head.as_bytes());
    connection.send(&noise(1, 50_000));
    assert!(connection.try_response("PUT").is_none());
}

fn kill_under_load(start: Start) {
    let directory = tempfile::tempdir().unwrap();
    let storage = directory.path().join("data");
    let shared = Shared::default();
    let kills = kills().unwrap_or(SHORT_RUN_KILLS);
    for kill in 0..kills {
        let server = start(&storage, &UNLIMITED);
        let (answered, random) = (shared.answers(), noise(!(kill as u64), 2));
        std::thread::scope(|scope| {
            scope.spawn(|| half_an_upload(&server));
            for number in 0..CLIENTS {
                let (server, shared) = (&server, &shared);
                scope.spawn(move || client(server, number, kill * CLIENTS + number, shared));
            }
            let enough = answered + usize::from(random[0] % 32);
            until(|| (shared.answers() >= enough).then_some(()));
            // Any moment is as good, so no condition is awaited.
            std::thread::sleep(Duration::from_micros(u64::from(random[1]) * 40));
            server.signal("KILL");
        });
        drop(server);
        let server = start(&storage, &UNLIMITED);
        let mut ledger = shared.ledger();
        ledger.check(&server, &format!("kill {kill} under load"));
        assert_eq!(server.put("probe.zip", b"publishing works").status, 201);
        ledger.became("probe.zip", None);
        let deleted = server.write("DELETE", "/assets/probe.zip", "", b"");
        assert_eq!(deleted.status, 204);
    }
    println!(
        "Under load: killed {kills} times among {} answers; {} packages checked, 0 lost",
        shared.answers(),
        shared.ledger().packages_checked,
    );
}

#[test]
fn killed_under_load() {
    kill_under_load(TestServer::over);
}

#[test]
#[ignore = "needs mounts: scripts/faults.sh"]
fn killed_under_load_with_named_files_mount() {
    kill_under_load(over_without_proc);
}
