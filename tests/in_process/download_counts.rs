//! Download counts in kept answers: they are made anew once a minute, and then they are.

use crate::support::{Connection, TOKEN, form};
use release_server::app::public_url::PublicUrl;
use release_server::app::{App, Options};
use release_server::clock::Clock;
use release_server::config::Address;
use release_server::config::LatestBy;
use release_server::config::token::{Token, TokenSettings};
use release_server::limits::DOWNLOAD_COUNTS_INTERVAL;
use release_server::metrics::Metrics;
use release_server::server::memory_limit::MemoryLimit;
use release_server::server::sock_diag::SockDiag;
use release_server::server::{self, Server, listener};
use release_server::storage::{Retention, engines};
use release_server::tokens::Tokens;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// The application on a manual clock.
fn start(path: &std::path::Path, clock: &Clock) -> (Server, SocketAddr) {
    let retention = Retention {
        max_packages: None,
        max_releases: None,
        pinned: Vec::new(),
    };
    let options = engines::Options {
        path: path.to_owned(),
        retention,
        workers: 1,
        clock: clock.clone(),
        bucket: None,
    };
    let store = engines::open(options).unwrap();
    let disk = Arc::clone(store.gate());
    let metrics = Arc::new(Metrics::new([]));
    let settings = TokenSettings {
        shared: Token::fixed(TOKEN),
        files: Vec::new(),
        issuers_ca_file: None,
    };
    let tokens = Tokens::open(settings, clock.clone(), Arc::clone(&metrics));
    let options = Options {
        tokens: Arc::new(tokens.unwrap()),
        public_url: PublicUrl::new(None, false, 80),
        max_upload_bytes: None,
        latest_by: LatestBy::Time,
        clock: clock.clone(),
    };
    let app = App::new(store, Arc::clone(&metrics), options);
    let host = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let (socket, address) = listener::bind(Address { host, port: 0 }).unwrap();
    let options = server::Options {
        workers: 1,
        max_connections: 100,
        trust_forwarded: false,
        idle_time_max: Duration::from_hours(1),
        sock_diag: SockDiag::system(),
        memory_limit: MemoryLimit::of(None),
        disk,
        clock: clock.clone(),
        tls: None,
    };
    let entrance = listener::Entrance {
        socket,
        channel: release_server::http::service::Channel::Clear,
    };
    let server = Server::start(vec![entrance], Arc::new(app), metrics, options).unwrap();
    (server, address)
}

#[test]
fn download_counts_become_visible_after_their_minute() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual();
    let (_server, address) = start(directory.path(), &clock);
    let mut connection = Connection::new(TcpStream::connect(address).unwrap());
    let body = form("tool-v1.0.0.zip", b"content");
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: multipart/form-data; boundary=BOUNDARY\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.send(&[head.as_bytes(), &body].concat());
    assert_eq!(connection.response("POST").status, 200);
    let mut get = |path: &str| {
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n").as_bytes());
        connection.response("GET")
    };
    let count = |get: &mut dyn FnMut(&str) -> crate::support::Response| {
        let release = get("/repos/o/r/releases/latest").json();
        release["assets"][0]["download_count"].as_u64().unwrap()
    };
    get("/assets/tool-v1.0.0.zip");
    assert_eq!(count(&mut get), 1, "the first one at once");
    get("/assets/tool-v1.0.0.zip");
    assert_eq!(count(&mut get), 1);
    clock.advance(DOWNLOAD_COUNTS_INTERVAL.saturating_sub(Duration::from_secs(1)));
    assert_eq!(count(&mut get), 1, "a second too early");
    clock.advance(Duration::from_secs(1));
    assert_eq!(count(&mut get), 2);
}
