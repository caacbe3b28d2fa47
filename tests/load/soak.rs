//! The soak: mixed load for a long time, with clients that stall and clients that attack. No
//! unexpected answer, every byte right, and at the end the same resources held as before.
//!
//! The load runs twice: first as a warm-up, then for the given time. The resources held without
//! clients are compared between the two ends.

use crate::client::{Client, Way};
use crate::support::{TestServer, until};
use crate::tally::Tally;
use crate::traffic::Traffic;
use crate::{End, Length, hostile, stalled};
use release_server::limits::SYNC_THREADS_MAX;
use std::time::Duration;

/// The growth that is allowed after the warm-up: some pages that the allocator keeps.
const RESIDENT_GROWTH_KIB_MAX: u64 = 2048;

/// The resources that the process holds at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    own_kib: u64,
    descriptors: usize,
    threads: usize,
    connections: u64,
}

impl Held {
    fn by(server: &TestServer) -> Self {
        Self {
            own_kib: server.own_kib(),
            descriptors: server.descriptors(),
            threads: server.threads(),
            connections: metric(server, "connections_open"),
        }
    }

    /// The larger value of each.
    fn max(self, other: Self) -> Self {
        Self {
            own_kib: self.own_kib.max(other.own_kib),
            descriptors: self.descriptors.max(other.descriptors),
            threads: self.threads.max(other.threads),
            connections: self.connections.max(other.connections),
        }
    }

    /// The resources held once only the asking client is connected, and no more descriptors are
    /// open than these.
    fn at_rest(server: &TestServer, descriptors_max: usize) -> Self {
        let is_at_rest = |held: &Self| held.connections == 1 && held.descriptors <= descriptors_max;
        until(|| Some(Self::by(server)).filter(is_at_rest))
    }
}

fn metric(server: &TestServer, name: &str) -> u64 {
    let text = server.get("/metrics").text();
    let start = format!("release_server_{name} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.expect("a metric").parse().unwrap()
}

#[test]
fn mixed_load_is_served_right_and_holds_nothing_afterwards() {
    let length = Length::from_environment();
    let settings = [("MAX_PACKAGES", "0"), ("MAX_UPLOAD_SIZE", "8MiB")];
    let mut server = TestServer::with(&settings);
    Client::new(&server, 0).publish(stalled::large(), Way::Put, false, &[201]);
    let warm_up = (length.time / 3).min(Duration::from_mins(1));
    let tally = Tally::default();
    load(&server, &tally, length, warm_up, 0);
    let before = Held::at_rest(&server, usize::MAX);
    let peak = load(&server, &tally, length, length.time, 1);
    let after = Held::at_rest(&server, before.descriptors);
    print(
        &server,
        &tally,
        &[("start", before), ("peak", peak), ("end", after)],
    );
    tally.assert_no_errors();
    // Threads that sync uploads start when they are first needed.
    assert!(after.threads < before.threads + SYNC_THREADS_MAX);
    let limit = before.own_kib + RESIDENT_GROWTH_KIB_MAX;
    assert!(after.own_kib <= limit, "memory grew");
    assert_stored_in_order(&server);
    server.signal("TERM");
    assert!(server.wait().success());
    assert_log_is_calm(&server);
}

/// All kinds of clients at once; returns the peak of the resources held.
fn load(server: &TestServer, tally: &Tally, length: Length, time: Duration, phase: u64) -> Held {
    let end = End::after(time);
    let content_bytes_max = length.choose(4_000_000, 300_000);
    std::thread::scope(|scope| {
        for client in 0..length.choose(8, 4) {
            scope.spawn(move || {
                Traffic::new(server, client, phase, content_bytes_max).run(tally, end);
            });
        }
        for client in 0..length.choose(64, 16) {
            let seed = phase << 32 | client as u64;
            scope.spawn(move || stalled::run(server, tally, seed, end));
        }
        for client in 0..2 {
            let seed = phase << 32 | client;
            scope.spawn(move || hostile::run(server, tally, seed, end));
        }
        let mut peak = Held::default();
        while !end.is_reached() {
            peak = peak.max(Held::by(server));
            end.idle(Duration::from_millis(50));
        }
        peak
    })
}

fn print(server: &TestServer, tally: &Tally, moments: &[(&str, Held)]) {
    tally.print();
    println!();
    println!(
        "{:<34} {:>10} {:>11} {:>7} {:>11}",
        "", "RSS (KiB)", "descriptors", "threads", "connections"
    );
    for (moment, held) in moments {
        println!(
            "{moment:<34} {:>10} {:>11} {:>7} {:>11}",
            held.own_kib, held.descriptors, held.threads, held.connections
        );
    }
    println!();
    let metrics = server.get("/metrics").text();
    let told = [
        "connections_",
        "handler_panics",
        "_bytes_total",
        "packages_",
        "5xx",
    ];
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        if told.iter().any(|word| line.contains(word)) {
            println!("{line}");
        }
    }
}

/// Asserts that the directory holds packages with their checksums and nothing else, and none sent
/// by an attacker.
fn assert_stored_in_order(server: &TestServer) {
    let stored = server.stored();
    let packages: Vec<_> = stored
        .iter()
        .filter(|name| !name.ends_with(".sha256"))
        .collect();
    let mut expected: Vec<_> = packages
        .iter()
        .map(|name| format!("{name}.sha256"))
        .collect();
    expected.extend(packages.iter().map(ToString::to_string));
    expected.sort();
    assert_eq!(stored, expected);
    for name in packages {
        assert!(name.starts_with("package-"), "{name} was published");
    }
}

/// Asserts that the log reports only faults that clients provoked.
fn assert_log_is_calm(server: &TestServer) {
    for line in server.log() {
        let path = line["path"].as_str().unwrap_or_default();
        let is_expected = match line["status"].as_u64() {
            // Checksums requested too early, and writes that waited too long for a slow disk.
            Some(503) => path.starts_with("/assets/") || path == "/upload",
            _ => line["level"] == "INFO",
        };
        assert!(is_expected, "{line}");
    }
}
