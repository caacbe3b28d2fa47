//! A panic's text is a line of the log, and nothing is written beside it.

use serde_json::Value;
use std::process::Command;

const CHILD: &str = "RELEASE_SERVER_TEST_PANIC";

#[test]
fn a_panic_is_a_line_of_the_log() {
    if std::env::var_os(CHILD).is_some() {
        return panic_with_a_log();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "panics::a_panic_is_a_line_of_the_log",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.contains("out of order"));
    let line: Value = serde_json::from_str(line.expect("a line about the panic")).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["message"], "panic: out of order 7");
    assert_eq!(line["thread"], "panicking");
    let location = line["location"].as_str().unwrap();
    assert!(location.contains("panics.rs:"), "{location}");
}

fn panic_with_a_log() {
    use release_server::log::{Format, flush, start};
    start("info", Format::Json).unwrap();
    let number = 7;
    let thread = std::thread::Builder::new().name("panicking".to_owned());
    let panicked = thread
        .spawn(move || panic!("out of order {number}"))
        .unwrap()
        .join();
    assert!(panicked.is_err());
    flush();
}
