//! SIGHUP: the files of settings are read again, which the log reports, and nothing ends.

use crate::support::{TOKEN, TestServer, until};
use std::fs;

fn reports(server: &TestServer, words: &str) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let log = server.log().into_iter();
    log.filter(|line| text(&line["message"]).contains(words))
        .map(|line| (text(&line["setting"]), text(&line["path"])))
        .collect()
}

#[test]
fn a_hangup_reads_the_token_file_again_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, TOKEN).unwrap();
    let path = file.to_str().unwrap().to_owned();
    let mut server = TestServer::with(&[("AUTH_TOKEN", ""), ("AUTH_TOKEN_FILE", &path)]);
    for times in 1..=3 {
        server.signal("HUP");
        let read = until(|| {
            let read = reports(&server, "SIGHUP: the file was read again");
            (read.len() == times).then_some(read)
        });
        assert_eq!(read[0], ("auth_token_file".to_owned(), path.clone()));
    }
    fs::write(&file, "two\nlines").unwrap();
    server.signal("HUP");
    let warning = server.wait_for_line(|line| line["level"] == "WARN");
    let message = "SIGHUP: the file cannot be used; its last content counts";
    assert_eq!(warning["message"], message);
    let error = format!("{path}: does not hold a token of at most 4096 bytes on one line");
    assert_eq!(warning["error"], error);
    assert_eq!(server.put("a.zip", b"1").status, 201);
    server.assert_alive();
}

#[test]
fn a_hangup_is_no_second_signal_during_a_shutdown() {
    let mut server = TestServer::with(&[("SHUTDOWN_DELAY", "60")]);
    server.signal("TERM");
    server.wait_for_line(|line| line["message"] == "shutting down");
    server.signal("HUP");
    let unset = "SIGHUP: no file holds tokens, so there is none to read again";
    server.wait_for_line(|line| line["message"] == unset);
    server.assert_alive();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(1));
}
