//! A server that is killed during uploads: the other servers remove its leftovers, and no live
//! upload.
//!
//! With unnamed temporary files, a kill leaves nothing behind. So these servers start without
//! `/proc`, in a mount namespace of their own, and their uploads have hidden names.

use crate::shared::SharedDirectory;
use crate::support::{Connection, TOKEN, TestServer, until};
use crate::tally::Tally;
use crate::version::Version;
use crate::{End, Length};
use release_server::limits::LOCK_WAIT_MAX;
use release_server::storage::directory_engine::leftovers;
use release_server::storage::directory_engine::lock::LockKeeper;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The number of uploads during which a server is killed, and of those that continue.
const UPLOADS: u16 = 5;
const CONTENT_BYTES: usize = 100_000;

/// Runs the rest of the line in a namespace without `/proc`.
const WITHOUT_PROC: &str = "exec unshare --user --map-root-user --mount \
    sh -c 'mount -t tmpfs none /proc && exec \"$0\"' \"$0\"";

#[test]
fn leftovers_of_a_killed_server_go_and_live_uploads_stay() {
    let length = Length::from_environment();
    if !can_go_without_proc() {
        println!("not tested: only root can hide /proc on this system");
        return;
    }
    let (tally, end) = (Tally::default(), End::after(length.time));
    let directory = SharedDirectory::new();
    let start = |number| TestServer::by_shell(WITHOUT_PROC, directory.of_server(number), &[]);
    let others = [0, 1].map(start);
    let mut longest = Duration::ZERO;
    for round in 0.. {
        tally.attempt("servers killed", || {
            longest = longest.max(kill_one(&directory, &others, round));
            0
        });
        tally.outcome("leftovers removed", UPLOADS.into());
        tally.outcome("live uploads completed", UPLOADS.into());
        if end.is_reached() {
            break;
        }
    }
    tally.print();
    println!("  leftovers were gone after at most {longest:.1?}");
    tally.assert_no_errors();
}

#[test]
fn uploads_survive_clean_ups_at_every_moment() {
    if !can_go_without_proc() {
        println!("not tested: only root can hide /proc on this system");
        return;
    }
    let directory = SharedDirectory::new();
    let server = TestServer::by_shell(WITHOUT_PROC, directory.of_server(0), &[]);
    let mut keeper = LockKeeper::start(directory.of_server(1)).unwrap();
    let is_over = AtomicBool::new(false);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                leftovers::clean(&keeper.acquire(LOCK_WAIT_MAX).unwrap()).unwrap();
            }
        });
        let publish = || {
            server
                .write("PUT", "/assets/a.zip?overwrite=1", "", b"1")
                .status
        };
        let statuses = (0..300).map(|_| publish()).collect();
        is_over.store(true, Ordering::Relaxed);
        statuses
    });
    let is_published = |status: &u16| matches!(status, 200 | 201);
    assert!(statuses.iter().all(is_published), "{statuses:?}");
}

fn can_go_without_proc() -> bool {
    let status = Command::new("sh")
        .args(["-c", WITHOUT_PROC, "true"])
        .status();
    status.is_ok_and(|status| status.success())
}

/// Kills a server during uploads while others continue; returns how long its leftovers stayed.
fn kill_one(directory: &SharedDirectory, others: &[TestServer], round: u16) -> Duration {
    let mut victim = TestServer::by_shell(WITHOUT_PROC, directory.of_server(2), &[]);
    let uploads = |server, time| {
        let versions = (0..UPLOADS).map(|number| (round * 2 + time) * UPLOADS + number);
        versions
            .map(|number| Upload::begin(server, number))
            .collect()
    };
    let dead: Vec<Upload> = uploads(&victim, 0);
    let mut alive: Vec<Upload> = uploads(&others[0], 1);
    until(|| (unfinished(directory) == 2 * usize::from(UPLOADS)).then_some(()));
    victim.signal("KILL");
    let killed_at = Instant::now();
    victim.wait();
    until(|| {
        for upload in &mut alive {
            // A few bytes now and then keep the upload above the least pace.
            upload.send(10);
        }
        (unfinished(directory) <= usize::from(UPLOADS)).then_some(())
    });
    let stayed = killed_at.elapsed();
    for upload in alive {
        let version = upload.version;
        upload.finish();
        let answer = others[1].get(&format!("/assets/{}", version.name()));
        assert!(version.has(0, &answer.body) && answer.body.len() == version.length());
    }
    assert_eq!(unfinished(directory), 0);
    for upload in dead {
        let path = format!("/assets/{}", upload.version.name());
        others[1].get(&path).assert_error(404, "Not Found");
    }
    stayed
}

/// Unfinished uploads in the directory.
fn unfinished(directory: &SharedDirectory) -> usize {
    let stored = directory.stored();
    stored.iter().filter(|name| name.starts_with('.')).count()
}

/// An upload in progress.
struct Upload {
    version: Version,
    connection: Connection,
    sent: usize,
}

impl Upload {
    fn begin(server: &TestServer, number: u16) -> Self {
        let version = Version::new(number, 0, CONTENT_BYTES);
        version.sha256();
        let head = format!(
            "PUT /assets/{} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Length: {CONTENT_BYTES}\r\n\r\n",
            version.name()
        );
        let mut connection = server.connect();
        connection.send(head.as_bytes());
        let mut upload = Self {
            version,
            connection,
            sent: 0,
        };
        upload.send(CONTENT_BYTES / 2);
        upload
    }

    /// Sends more bytes, but not the last ones.
    fn send(&mut self, bytes: usize) {
        let end = (self.sent + bytes).min(CONTENT_BYTES - 1);
        self.connection.send(&self.version.bytes()[self.sent..end]);
        self.sent = end;
    }

    fn finish(mut self) {
        self.connection.send(&self.version.bytes()[self.sent..]);
        assert_eq!(self.connection.response("PUT").status, 201);
    }
}
