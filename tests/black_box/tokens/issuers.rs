//! Issuers that cannot be used: requests wait without a worker, for a limited time, and are
//! answered.

use super::identities::{ask, start};
use crate::support::issuer::{Issuer, Manner};
use crate::support::{TestServer, until};
use serde_json::json;
use std::time::Instant;

#[test]
fn a_request_waits_for_the_keys_without_a_worker_and_without_its_body() {
    let issuer = Issuer::start();
    issuer.behave(Manner::Silent);
    let (server, directory) = start(&issuer);
    let file = directory.path().join("tokens.yaml");
    drop(server);
    let settings = [("TOKENS_FILE", file.to_str().unwrap()), ("WORKERS", "1")];
    let server = TestServer::with(&settings);
    let token = issuer.token(&json!({}));
    let mut waiting: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for connection in &mut waiting {
        let head = format!(
            "PUT /assets/x.zip HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
             Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        );
        connection.send(head.as_bytes());
    }
    let storing = "release_server_connections{state=\"storing\"}";
    until(|| (server.metric(storing) == 20).then_some(()));
    assert_eq!(server.get("/healthz").status, 200);
    issuer.behave(Manner::Keys(issuer.keys()));
    for connection in &mut waiting {
        let answer = connection.response("PUT");
        answer.assert_error(503, "The keys of the issuer");
        assert_eq!(answer.header("retry-after"), "2");
    }
    assert_eq!(issuer.fetches(), 1, "one fetch for all of them");
    until(|| (ask(&server, &token).status == 400).then_some(()));
    let unavailable = "release_server_token_checks_total{outcome=\"unavailable\"}";
    assert!(server.metric(unavailable) >= 20);
}

#[test]
fn an_issuer_that_misbehaves_is_refused_within_its_limits_and_recovers() {
    for manner in [
        Manner::Redirect,
        Manner::Status(500),
        Manner::Garbage,
        Manner::Endless,
        Manner::Keys(json!({"keys": []})),
        Manner::Keys(json!({"keys": "none"})),
        Manner::Configuration(json!({"issuer": "https://other", "jwks_uri": "https://other/"})),
        Manner::Configuration(json!({"issuer": "?", "jwks_uri": "http://192.0.2.1/keys"})),
        Manner::Configuration(json!({"issuer": "?", "jwks_uri": "file:///etc/passwd"})),
    ] {
        let issuer = Issuer::start();
        let manner = match manner {
            Manner::Configuration(mut other) if other["issuer"] == "?" => {
                other["issuer"] = json!(issuer.url);
                Manner::Configuration(other)
            }
            manner => manner,
        };
        issuer.behave(manner.clone());
        let (server, _directory) = start(&issuer);
        let token = issuer.token(&json!({}));
        let begun = Instant::now();
        ask(&server, &token).assert_error(503, "The keys of the issuer");
        assert!(begun.elapsed().as_secs() < 20, "{manner:?}");
        let message = "the keys of the issuer cannot be fetched";
        let line = server.wait_for_line(|line| line["message"] == message);
        assert!(
            line["error"].as_str().is_some_and(|why| !why.is_empty()),
            "{line}"
        );
        issuer.behave(Manner::Keys(issuer.keys()));
        until(|| (ask(&server, &token).status == 400).then_some(()));
    }
}
