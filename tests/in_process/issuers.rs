//! When the keys of an issuer are fetched, on a manual clock.

use crate::support::issuer::{Issuer, Manner};
use crate::support::until;
use release_server::clock::{Clock, wall_now};
use release_server::config::token::TokenSettings;
use release_server::limits::{ISSUER_KEYS_AGE_MAX, ISSUER_REFRESH_INTERVAL, RETRY_AFTER_SECONDS};
use release_server::metrics::Metrics;
use release_server::tokens::{Denied, IdentityRefusal, Tokens};
use serde_json::{Value, json};
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::time::Duration;

struct Fetched(mpsc::Sender<()>);

impl Wake for Fetched {
    fn wake(self: Arc<Self>) {
        self.0.send(()).unwrap();
    }
}

struct Bench {
    issuer: Issuer,
    tokens: Tokens,
    clock: Clock,
    _file: tempfile::NamedTempFile,
}

impl Bench {
    fn new() -> Self {
        let issuer = Issuer::start();
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            "tokens:\n- name: e\n  issuer: {}\n  audience: release-server\n  \
             claims: {{repository: zlink/templates}}\n  may: [publish]\n",
            issuer.url
        );
        std::fs::write(file.path(), text).unwrap();
        let settings = TokenSettings {
            shared: None,
            files: vec![file.path().to_owned()],
            issuers_ca_file: None,
        };
        let clock = Clock::manual();
        let metrics = Arc::new(Metrics::new([]));
        let tokens = Tokens::open(settings, clock.clone(), metrics).unwrap();
        Self {
            issuer,
            tokens,
            clock,
            _file: file,
        }
    }

    /// What becomes of a token once every fetch that it needs has ended.
    fn find(&self, token: &str) -> Result<(), Denied> {
        loop {
            match self.tokens.find(token.as_bytes(), wall_now()) {
                Err(Denied::Unfetched(keys)) => {
                    let (sender, fetched) = mpsc::channel();
                    keys.wake(Waker::from(Arc::new(Fetched(sender))));
                    fetched.recv().unwrap();
                }
                found => return found.map(drop),
            }
        }
    }

    /// Serves the P-256 key under this name.
    fn rename_key(&self, name: &str) {
        let mut keys = self.issuer.keys();
        keys["keys"][3]["kid"] = json!(name);
        self.issuer.behave(Manner::Keys(keys));
    }

    fn token(&self, key: &str) -> String {
        let header = json!({"alg": "ES256", "kid": key}).to_string();
        let claims: Value = self.issuer.claims(&json!({}));
        self.issuer.sign_with("p256", &header, &claims.to_string())
    }
}

fn is_unknown_key(found: &Result<(), Denied>) -> bool {
    matches!(found, Err(Denied::Identity(IdentityRefusal::Key)))
}

#[test]
fn an_unknown_key_makes_one_fetch_a_minute() {
    let bench = Bench::new();
    bench.rename_key("first");
    bench.find(&bench.token("first")).unwrap();
    assert_eq!(bench.issuer.fetches(), 1);
    bench.rename_key("second");
    let token = bench.token("second");
    for _ in 0..100 {
        assert!(is_unknown_key(&bench.find(&token)));
    }
    assert_eq!(bench.issuer.fetches(), 1);
    bench.clock.advance(ISSUER_REFRESH_INTERVAL);
    bench.find(&token).unwrap();
    assert!(is_unknown_key(&bench.find(&bench.token("first"))));
    assert_eq!(bench.issuer.fetches(), 2);
}

#[test]
fn old_keys_are_fetched_again_and_stay_while_the_issuer_is_down() {
    let bench = Bench::new();
    let token = bench.token("p256");
    bench.find(&token).unwrap();
    bench.issuer.behave(Manner::Status(500));
    bench.clock.advance(ISSUER_KEYS_AGE_MAX);
    for fetches in [2, 3] {
        bench.find(&token).unwrap();
        until(|| (bench.issuer.fetches() == fetches).then_some(()));
        bench.find(&token).unwrap();
        bench.clock.advance(ISSUER_REFRESH_INTERVAL);
    }
    // A key that was withdrawn ends once the issuer answers again.
    bench.rename_key("another");
    until(|| {
        bench.clock.advance(ISSUER_REFRESH_INTERVAL);
        is_unknown_key(&bench.find(&token)).then_some(())
    });
}

#[test]
fn keys_that_were_never_fetched_are_tried_again_soon() {
    let bench = Bench::new();
    bench.issuer.behave(Manner::Status(500));
    let token = bench.token("p256");
    for _ in 0..10 {
        assert!(matches!(bench.find(&token), Err(Denied::Unavailable(_))));
    }
    assert_eq!(bench.issuer.fetches(), 1);
    bench.issuer.behave(Manner::Keys(bench.issuer.keys()));
    bench
        .clock
        .advance(Duration::from_secs(RETRY_AFTER_SECONDS.into()));
    bench.find(&token).unwrap();
}
