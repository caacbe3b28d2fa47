//! A file server that stops for a while: what needs no disk goes on, and everything else when the
//! file server is back.
//!
//! `LOAD_STOP` and `LOAD_GO_ON` are the commands that stop and start it; `scripts/nfs-test.sh` sets
//! them.

use crate::Length;
use crate::shared::SharedDirectory;
use crate::support::{Connection, TOKEN, TestServer, until};
use std::process::Command;
use std::time::{Duration, Instant};

/// Clients of each kind that wait for the disk.
const WAITING: usize = 8;

/// An answer may take as long as the kernel needs to find the file server again.
const PATIENCE: Duration = Duration::from_mins(3);

#[test]
fn a_stopped_file_server_does_not_stop_the_rest() {
    let commands = (std::env::var("LOAD_STOP"), std::env::var("LOAD_GO_ON"));
    let (Ok(stop), Ok(go_on)) = commands else {
        println!("not tested: LOAD_STOP and LOAD_GO_ON name no commands");
        return;
    };
    let time = Length::from_environment().time.min(Duration::from_secs(20));
    let directory = SharedDirectory::new();
    let server = TestServer::over(directory.of_server(0), &[]);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    assert_eq!(server.listed(), ["a.zip"]);

    run(&stop);
    let downloads: Vec<_> = (0..WAITING)
        .map(|_| begin(&server, "GET", "a.zip"))
        .collect();
    let uploads: Vec<_> = (0..WAITING)
        .map(|number| begin(&server, "PUT", &format!("{number}.zip")))
        .collect();
    let end = Instant::now() + time;
    let mut times = [Vec::new(), Vec::new()];
    while Instant::now() < end {
        for (path, times) in ["/healthz", "/latest"].iter().zip(&mut times) {
            let begun = Instant::now();
            assert_eq!(server.get(path).status, 200, "{path}");
            times.push(begun.elapsed());
        }
    }
    run(&go_on);

    for mut download in downloads {
        let answer = download.response("GET");
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
    }
    let statuses: Vec<_> = uploads
        .into_iter()
        .map(|mut upload| upload.response("PUT").status)
        .collect();
    let is_answered = |status: &u16| matches!(status, 201 | 503);
    assert!(statuses.iter().all(is_answered), "{statuses:?}");
    let published = statuses.iter().filter(|status| **status == 201).count();
    until(|| (server.listed().len() == 1 + published).then_some(()));
    assert_eq!(server.put("last.zip", b"1").status, 201);
    for (path, mut times) in ["/healthz", "/latest"].into_iter().zip(times) {
        times.sort_unstable();
        let (p99, worst) = (times[times.len() * 99 / 100], times[times.len() - 1]);
        let count = times.len();
        println!(
            "{path} while the file server is stopped: {count}, p99 {p99:.1?}, worst {worst:.1?}"
        );
    }
    println!("of {WAITING} uploads meanwhile {published} were published");
}

fn run(command: &str) {
    let status = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(status.success(), "{command}: {status}");
}

/// Sends a request whose answer needs the disk.
fn begin(server: &TestServer, method: &str, name: &str) -> Connection {
    let mut connection = server.connect();
    connection.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = if method == "PUT" { "1" } else { "" };
    let head = format!(
        "{method} /assets/{name} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.send(head.as_bytes());
    connection
}
