//! Wrong files stop the start, and files that change are taken without a restart.

use super::HttpsServer;
use crate::commands::command_line::{assert_fails, run, text};
use crate::support::certificates::Authority;
use crate::support::until;
use rcgen::PKCS_ECDSA_P256_SHA256;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[test]
fn a_pair_that_does_not_fit_stops_the_start_with_one_sentence() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let files = authority.pair().write(folder.path());
    std::fs::write(&files.key, authority.pair().key).unwrap();
    let (certificate, key) = (
        files.certificate.to_str().unwrap(),
        files.key.to_str().unwrap(),
    );
    let both = [
        ("AUTH_TOKEN", "t"),
        ("TLS_CERTIFICATE", certificate),
        ("TLS_KEY", key),
    ];
    let sentence =
        format!("{key}: the key does not belong to the first certificate in {certificate}");
    for command in [&["serve"][..], &["check-config"]] {
        assert_fails(&run(command, &both), 1, &sentence);
    }
    let alone =
        "TLS_CERTIFICATE: HTTPS needs both tls_certificate and tls_key; set the other one too";
    assert_fails(&run(&[], &both[..2]), 1, alone);
    let dependent = [("AUTH_TOKEN", "t"), ("HTTP_PORT", "8080")];
    let sentence = "HTTP_PORT: only for HTTPS; set tls_certificate and tls_key, or remove this";
    assert_fails(&run(&[], &dependent), 1, sentence);
    let same = [
        both[0],
        both[1],
        both[2],
        ("PORT", "9000"),
        ("HTTP_PORT", "9000"),
    ];
    let sentence = "HTTP_PORT: '9000' is the port of HTTPS; choose another one for HTTP in clear";
    assert_fails(&run(&[], &same), 1, sentence);
}

#[test]
fn check_config_shows_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let files = Authority::new().pair().write(folder.path());
    let output = run(
        &["check-config"],
        &[
            ("AUTH_TOKEN", "t"),
            ("TLS_CERTIFICATE", files.certificate.to_str().unwrap()),
            ("TLS_KEY", files.key.to_str().unwrap()),
        ],
    );
    let shown = text(&output.stdout);
    for line in [
        "certificate  CN=releases.example.org\n",
        "  for        localhost, 127.0.0.1, ::1\n",
        "  expires    2099-01-01T00:00:00Z\n",
        "  key        fits\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn a_broken_pair_is_reported_once_and_the_last_one_stays() {
    let server = HttpsServer::start();
    std::fs::write(&server.files.key, "no key").unwrap();
    server.server.signal("HUP");
    let line = server.server.wait_for_line(|line| line["level"] == "ERROR");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("the last one stays in force"), "{message}");
    assert!(
        message.contains("there is no private key in it"),
        "{message}"
    );
    assert_eq!(
        server.metric("release_server_tls_last_reload_successful"),
        0
    );
    // Without a signal: the files are read again by themselves.
    server.authority.pair().write(server.folder.path());
    until(|| (server.metric("release_server_tls_last_reload_successful") == 1).then_some(()));
    let expiry = server.metric("release_server_tls_certificate_expiry_timestamp_seconds");
    assert_eq!(expiry, 4_070_908_800);
    let errors = server.server.log();
    let errors = errors.iter().filter(|line| line["level"] == "ERROR");
    assert_eq!(errors.count(), 1);
}

/// More by the variable `SWAPS`, for a run by hand.
#[test]
fn pairs_swapped_while_clients_connect_cost_no_handshake() {
    const FIRST_YEAR: i32 = 2090;
    let swaps = std::env::var("SWAPS").map_or(100, |count| count.parse().unwrap());
    let server = HttpsServer::start();
    // Pairs differ in their expiry, which a metric shows.
    let pairs: [_; 10] = std::array::from_fn(|i| {
        let year = FIRST_YEAR + i32::try_from(i).unwrap();
        server.authority.pair_with(&PKCS_ECDSA_P256_SHA256, year)
    });
    let (done, handshakes) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(server.get("/healthz").status, 200);
                    handshakes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let swapping = scope.spawn(|| {
            let expiry =
                || server.metric("release_server_tls_certificate_expiry_timestamp_seconds");
            for swap in 0..swaps {
                let expiry_before = expiry();
                pairs[swap % pairs.len()].write(server.folder.path());
                server.server.signal("HUP");
                until(|| (expiry() != expiry_before).then_some(()));
                let before = handshakes.load(Ordering::Relaxed);
                until(|| (handshakes.load(Ordering::Relaxed) > before).then_some(()));
            }
        });
        let outcome = swapping.join();
        done.store(true, Ordering::Relaxed);
        outcome.expect("every pair comes into force, and clients still connect");
    });
}
