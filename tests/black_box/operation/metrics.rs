//! The metrics: their values are those of the server and of its process.

use crate::support::{TestServer, until};
use std::fmt::Debug;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

#[test]
fn the_metrics_count_requests_and_bytes() {
    let server = TestServer::with(&[("MAX_PACKAGES", "2")]);
    for name in ["a.zip", "b.zip", "c.zip"] {
        assert_eq!(server.put(name, b"12345").status, 201);
    }
    assert_eq!(server.write("DELETE", "/assets/c.zip", "", b"").status, 204);
    assert_eq!(server.get("/nothing").status, 404);
    assert_eq!(server.put("b.zip", b"12345").status, 409);
    let samples = [
        "release_server_requests_total{route=\"/assets/{filename}\",status=\"2xx\"} 4",
        "release_server_packages_published_total 3",
        "release_server_packages_deleted_total 1",
        "release_server_packages_swept_total 1",
        "release_server_uploads_refused_total{reason=\"exists\"} 1",
        "release_server_connections{state=\"answer\"} 0",
        "release_server_workers_busy 1",
        "release_server_packages 1",
        "release_server_stored_bytes 5",
        "release_server_request_duration_seconds_bucket{le=\"+Inf\"}",
        concat!(
            "release_server_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\"} 1"
        ),
    ];
    // A request is counted after its answer is sent, which the client may see first.
    let text = until(|| {
        let text = server.get("/metrics").text();
        samples
            .iter()
            .all(|sample| text.contains(sample))
            .then_some(text)
    });
    for line in text.lines() {
        let prefixes = ["# ", "release_server_", "process_"];
        let is_known = prefixes.iter().any(|prefix| line.starts_with(prefix));
        assert!(is_known, "{line}");
    }
}

/// The value of a metric of the process.
fn value<T: FromStr<Err: Debug>>(text: &str, name: &str) -> T {
    let rest = |line: &'_ str| {
        line.strip_prefix(name)?
            .strip_prefix(' ')
            .map(str::to_owned)
    };
    let value = text.lines().find_map(rest);
    let value = value.unwrap_or_else(|| panic!("no {name}: {text}"));
    value.parse().unwrap()
}

#[test]
fn the_metrics_of_the_process_are_those_of_proc() {
    let before = SystemTime::now() - Duration::from_secs(1);
    let server = TestServer::start();
    let text = server.get("/metrics").text();
    let of = |name| value::<u64>(&text, name);
    let (resident, shown) = (
        server.resident_kib() * 1024,
        of("process_resident_memory_bytes"),
    );
    assert!(
        (resident / 2..=resident * 2).contains(&shown),
        "{shown} of {resident}"
    );
    assert!(of("process_virtual_memory_bytes") > shown);
    assert_eq!(of("process_threads"), server.threads() as u64);
    // The connection that asked may still be counted.
    let descriptors = of("process_open_fds");
    assert!(
        descriptors.abs_diff(server.descriptors() as u64) <= 1,
        "{descriptors}"
    );
    assert!(of("process_max_fds") >= descriptors);
    let started = Duration::from_secs_f64(value(&text, "process_start_time_seconds"));
    let started = SystemTime::UNIX_EPOCH + started;
    assert!(before <= started && started <= SystemTime::now());
    let cpu_seconds = |text: &str| value::<f64>(text, "process_cpu_seconds_total");
    let first = cpu_seconds(&text);
    assert!(first < 60.0, "{first}");
    until(|| (cpu_seconds(&server.get("/metrics").text()) > first).then_some(()));
}
