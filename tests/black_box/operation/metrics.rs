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

#[test]
fn bytes_and_latency_are_those_of_the_requests() {
    let server = TestServer::start();
    let content = vec![b'x'; 100_000];
    let requests: [(&str, &str, &str, &[u8], u64); 5] = [
        ("PUT", "/assets/a.zip", "", &content, 0),
        ("GET", "/assets/a.zip", "", b"", 100_000),
        ("GET", "/assets/a.zip", "Range: bytes=0-9\r\n", b"", 10),
        ("HEAD", "/assets/a.zip", "", b"", 0),
        ("GET", "/healthz", "", b"", 3),
    ];
    let (mut received, mut sent, mut milliseconds) = (0, 0, 0.0);
    for (number, (method, path, headers, body, answer_bytes)) in requests.into_iter().enumerate() {
        let id = format!("request-{number}");
        let headers = format!("{headers}X-Request-Id: {id}\r\n");
        let answer = server.write(method, path, &headers, body);
        assert!(answer.status < 300, "{answer:?}");
        // The line follows the counting.
        let line = server.wait_for_line(|line| line["request_id"] == *id);
        let answer_bytes = match method {
            "PUT" => answer.body.len() as u64,
            _ => answer_bytes,
        };
        assert_eq!(line["received_bytes"], body.len() as u64, "{line}");
        assert_eq!(line["bytes"], answer_bytes, "{line}");
        let duration = line["duration_ms"].as_f64().unwrap();
        assert!(duration > 0.0, "{line}");
        received += body.len() as u64;
        sent += answer_bytes;
        milliseconds += duration;
    }
    let page = server.get("/metrics").text();
    let of = |name: &str| value::<u64>(&page, &format!("release_server_{name}"));
    assert_eq!(of("received_bytes_total"), received);
    assert_eq!(of("sent_bytes_total"), sent);
    assert_eq!(of("request_duration_seconds_count"), 5);
    let seconds = value::<f64>(&page, "release_server_request_duration_seconds_sum");
    assert!(
        (seconds * 1000.0 - milliseconds).abs() < 0.1,
        "{seconds} s of {milliseconds} ms"
    );
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
        server.memory_kib("VmRSS:") * 1024,
        of("process_resident_memory_bytes"),
    );
    assert!(
        (resident / 2..=resident * 2).contains(&shown),
        "{shown} of {resident}"
    );
    assert!(of("process_virtual_memory_bytes") > shown);
    assert_eq!(of("process_threads"), server.threads() as u64);
    // The connection that asked may still be counted, and a thread may have a file open.
    until(|| {
        let shown = value::<u64>(&server.get("/metrics").text(), "process_open_fds");
        (shown.abs_diff(server.descriptors() as u64) <= 1).then_some(())
    });
    assert!(of("process_max_fds") >= of("process_open_fds"));
    let started = Duration::from_secs_f64(value(&text, "process_start_time_seconds"));
    let started = SystemTime::UNIX_EPOCH + started;
    assert!(before <= started && started <= SystemTime::now());
    let cpu_seconds = |text: &str| value::<f64>(text, "process_cpu_seconds_total");
    let first = cpu_seconds(&text);
    assert!(first < 60.0, "{first}");
    until(|| (cpu_seconds(&server.get("/metrics").text()) > first).then_some(()));
}
