//! Many small publishes at once: their rate beside the disk's own, and what readers notice of them.
//!
//! The figures are printed; only wrong answers fail.

use crate::support::{Connection, TOKEN, TestServer, noise, until};
use crate::{End, Length};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CONTENT_BYTES: usize = 1024;
/// Each client replaces these again and again, so that the directory stays small.
const NAMES_PER_CLIENT: u64 = 16;
const PUBLISHERS: usize = 64;
/// How long each sync of the directory takes for the readers' figures.
const SLOW_SYNC: Duration = Duration::from_millis(300);

#[test]
fn small_publishes_beside_the_rate_of_the_disk() {
    let length = Length::from_environment();
    let rates = [1, 8, 64].map(|writers| {
        let directory = tempfile::tempdir().unwrap();
        let rate = rate(writers, length.time / 5, |number, end, done| {
            write_durably(directory.path(), number, end, done);
        });
        println!("{writers} writers, file and directory synced: {rate:.0} a second");
        rate
    });
    for clients in [8, 64] {
        let server = TestServer::with(&[("MAX_PACKAGES", "0")]);
        let rate = rate(clients, length.time / 5, |number, end, done| {
            publish(&server, number, end, &[200, 201], done);
        });
        let of = rates.map(|of| rate / of);
        println!(
            "{clients} clients: {rate:.0} publishes a second; {:.2} of 1 writer, {:.2} of 8, {:.2} \
             of 64",
            of[0], of[1], of[2]
        );
    }
}

/// Runs so many threads until the end; what they count, by the second.
fn rate(threads: usize, time: Duration, work: impl Fn(usize, End, &AtomicU64) + Sync) -> f64 {
    let done = AtomicU64::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..threads {
            let (work, done) = (&work, &done);
            scope.spawn(move || work(number, End::after(time), done));
        }
    });
    let count = u32::try_from(done.into_inner()).unwrap();
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// What a program does that publishes files durably, one after another, and no more.
fn write_durably(directory: &Path, number: usize, end: End, done: &AtomicU64) {
    let content = noise(number as u64, CONTENT_BYTES);
    let synced = File::open(directory).unwrap();
    let temporary = directory.join(format!(".{number}"));
    for turn in 0.. {
        if end.is_reached() {
            break;
        }
        let mut file = File::create(&temporary).unwrap();
        file.write_all(&content).unwrap();
        file.sync_all().unwrap();
        let name = format!("{number}-{}", turn % NAMES_PER_CLIENT);
        std::fs::rename(&temporary, directory.join(name)).unwrap();
        synced.sync_all().unwrap();
        done.fetch_add(1, Ordering::Relaxed);
    }
}

fn publish(server: &TestServer, number: usize, end: End, allowed: &[u16], done: &AtomicU64) {
    let content = noise(number as u64, CONTENT_BYTES);
    let mut connection = server.connect();
    for turn in 0.. {
        if end.is_reached() {
            break;
        }
        let head = format!(
            "PUT /assets/{number}-{}.zip?overwrite=1 HTTP/1.1\r\nHost: test\r\n\
             Authorization: Bearer {TOKEN}\r\nContent-Length: {CONTENT_BYTES}\r\n\r\n",
            turn % NAMES_PER_CLIENT
        );
        connection.send(&[head.as_bytes(), &content].concat());
        let status = connection.response("PUT").status;
        assert!(allowed.contains(&status), "{status}");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn readers_while_each_sync_of_the_directory_is_slow() {
    let Some(server) = server_with_packages() else {
        return;
    };
    let mut strace = delay_syncs(&server);
    let when = "each sync of the directory takes 300 ms";
    read_beside_publishers(&server, &[200, 201], when, || strace.kill().unwrap());
    strace.wait().unwrap();
}

#[test]
fn readers_while_another_process_holds_the_lock() {
    let Some(server) = server_with_packages() else {
        return;
    };
    let lock = File::open(server.storage()).unwrap();
    lock.lock().unwrap();
    let when = "another process holds the lock";
    read_beside_publishers(&server, &[200, 201, 503], when, || drop(lock));
}

/// `None` where strace may not trace.
fn server_with_packages() -> Option<TestServer> {
    let trial = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    if !trial.is_ok_and(|status| status.success()) {
        println!("not tested: strace is missing or may not trace");
        return None;
    }
    let server = TestServer::with(&[("MAX_PACKAGES", "0")]);
    for number in 0..Length::from_environment().choose(320, 10) {
        let status = server
            .put(&format!("package-{number}-v1.{number}.zip"), b"content")
            .status;
        assert_eq!(status, 201);
    }
    Some(server)
}

/// Attaches to the thread that makes the changes.
fn delay_syncs(server: &TestServer) -> Child {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let thread = tasks.map(|task| task.unwrap().path()).find(|task| {
        let name = std::fs::read_to_string(task.join("comm")).unwrap();
        name.trim_end() == "changes"
    });
    let inject = format!("inject=fsync:delay_enter={}", SLOW_SYNC.as_micros());
    let mut strace = Command::new("strace")
        .args(["-e", "trace=fsync", "-e", &inject, "-o", "/dev/null", "-p"])
        .arg(thread.unwrap().file_name().unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says that it is attached.
    let mut said = [0; 1];
    strace
        .stderr
        .as_mut()
        .unwrap()
        .read_exact(&mut said)
        .unwrap();
    strace
}

/// Prints how long readers wait while 64 clients publish, until `go_on` lets these finish.
fn read_beside_publishers(server: &TestServer, allowed: &[u16], when: &str, go_on: impl FnOnce()) {
    let end = End::after(Length::from_environment().time / 3);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for number in 0..PUBLISHERS {
            let done = &done;
            scope.spawn(move || publish(server, number, end, allowed, done));
        }
        let storing = "release_server_connections{state=\"storing\"}";
        until(|| (server.metric(storing) > 0).then_some(()));
        let mut connection = server.connect();
        let paths = ["/healthz", "/latest", "/assets/package-0-v1.0.zip"];
        let mut times = paths.map(|_| Vec::new());
        while !end.is_reached() {
            for (path, times) in paths.iter().zip(&mut times) {
                times.push(read(&mut connection, path));
            }
        }
        go_on();
        for (path, mut times) in paths.iter().zip(times) {
            times.sort_unstable();
            let [p50, p99] = [50, 99].map(|percent| times[times.len() * percent / 100]);
            let (count, worst) = (times.len(), times[times.len() - 1]);
            println!("{when}: {path}: {count}, p50 {p50:.1?}, p99 {p99:.1?}, worst {worst:.1?}");
        }
    });
    println!("{when}: {} publishes answered", done.into_inner());
}

fn read(connection: &mut Connection, path: &str) -> Duration {
    let begun = Instant::now();
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes());
    assert_eq!(connection.response("GET").status, 200, "{path}");
    begun.elapsed()
}
