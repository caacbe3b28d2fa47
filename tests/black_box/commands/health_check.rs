//! `release-server healthcheck` asks the running server and reports a fault in one line.

use super::command_line::{assert_fails, run, text};
use crate::support::{TestServer, tls};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

#[test]
fn a_health_check_asks_the_running_server() {
    let mut server = TestServer::start();
    let port = server.port.to_string();
    let check = |host: &str| {
        let tls = tls::settings().iter();
        let tls = tls.map(|(name, path)| (*name, path.to_str().unwrap()));
        let settings: Vec<_> = tls.chain([("PORT", &*port), ("HOST", host)]).collect();
        run(&["healthcheck"], &settings)
    };
    for host in ["", "127.0.0.1", "0.0.0.0"] {
        let output = check(host);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!((text(&output.stdout), text(&output.stderr)), ("", ""));
    }
    fs::remove_dir_all(server.storage()).unwrap();
    let output = check("");
    let url = format!("{}://127.0.0.1:{port}/readyz", tls::scheme());
    assert_fails(
        &output,
        1,
        &format!("{url}: not ready: the answer is 'HTTP/1.1 503'"),
    );
    server.signal("TERM");
    server.wait();
    let output = check("");
    let line = format!("{url}: not ready: Connection refused (os error 111)");
    assert_fails(&output, 1, &line);
}

#[test]
fn a_health_check_takes_nothing_else_for_an_answer() {
    for (answer, trouble) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "the answer is 'SSH-2.0-Open'"),
        ("HTTP/1.1 2", "the connection was closed without an answer"),
    ] {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port().to_string();
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut connection, _) = other.accept().unwrap();
                // A close before the request is read would reset the connection.
                let mut request = String::new();
                let mut reader = BufReader::new(connection.try_clone().unwrap());
                while request != "\r\n" {
                    request.clear();
                    reader.read_line(&mut request).unwrap();
                }
                connection.write_all(answer.as_bytes()).unwrap();
            });
            run(&["healthcheck"], &[("PORT", &port)])
        });
        let line = format!("http://127.0.0.1:{port}/readyz: not ready: {trouble}");
        assert_fails(&output, 1, &line);
    }
}
