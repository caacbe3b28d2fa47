//! Tokens that change while publishers work: nobody whose entry stays is refused, and a removed
//! token ends.
//!
//! `TOKEN_ROTATIONS=1000 cargo test --test black_box rotation -- --nocapture` is the long form; it
//! prints how long a removed token was accepted.

use super::{named, with_token, write_tokens};
use crate::support::{TestServer, until};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const PUBLISHERS: usize = 20;
const ROTATION_INTERVAL: Duration = Duration::from_millis(20);

fn rotations() -> usize {
    let given = std::env::var("TOKEN_ROTATIONS").ok();
    given.map_or(100, |text| text.parse().unwrap())
}

#[test]
fn rotation_refuses_no_publisher_and_ends_a_removed_token() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.yaml");
    let lasting = named("lasting", "  may: [publish, overwrite]\n");
    let changing = named("changing", "  may: [publish]\n");
    write_tokens(&file, [&*lasting.entry, &*changing.entry]);
    let settings = [("AUTH_TOKEN", ""), ("TOKENS_FILE", file.to_str().unwrap())];
    let mut server = TestServer::with(&settings);
    let (is_over, published) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..PUBLISHERS {
            let (server, lasting) = (&server, &lasting.token);
            let (is_over, published) = (&is_over, &published);
            scope.spawn(move || {
                let path = format!("/assets/{number}.zip?overwrite=true");
                while !is_over.load(SeqCst) {
                    let answer = with_token(server, lasting, ("PUT", &path), "", b"1");
                    assert!([200, 201].contains(&answer.status), "{answer:?}");
                    published.fetch_add(1, SeqCst);
                }
            });
        }
        for number in 0..rotations() {
            let begun = Instant::now();
            if number % 2 == 0 {
                write_tokens(&file, [&*lasting.entry]);
            } else {
                write_tokens(&file, [&*changing.entry, &*lasting.entry]);
            }
            until(|| (begun.elapsed() >= ROTATION_INTERVAL).then_some(()));
        }
        is_over.store(true, SeqCst);
    });
    let status = || {
        let answer = with_token(&server, &changing.token, ("PUT", "/assets/x.zip"), "", b"");
        answer.status
    };
    for _ in 0..5 {
        write_tokens(&file, [&*lasting.entry, &*changing.entry]);
        until(|| (status() == 400).then_some(()));
        write_tokens(&file, [&*lasting.entry]);
        let removed = Instant::now();
        until(|| (status() == 401).then_some(()));
        println!("a removed token was accepted for {:?}", removed.elapsed());
    }
    println!("{} publishes", published.load(SeqCst));
    server.assert_alive();
}
