//! Packages in a bucket: what only several servers before one store, and a store that fails, show.
//! The other black-box tests run over a bucket too, by `scripts/bucket-test.sh`.
//!
//! Without a store in the environment these tests have nothing to ask, and say so.
//!
//! The faults of docs/bucket.md ("When the store fails") and their tests; `s3` is tests/s3:
//!
//! | Fault | Tests |
//! |---|---|
//! | the name exists | `servers::many_publishers`, `failures::a_put_whose_answer` |
//! | 409, 429, 5xx | `failures::what_a_store_refuses`, `s3::refusals` (the number of tries) |
//! | timeout | `failures::nobody_waits_long`, `outage::a_lost_answer` |
//! | broken connection | `outage`, `s3::with_a_store::slow_cut_and_reset` |
//! | TLS | `s3::check_config::a_store_over_tls` |
//! | 401, 403, an expired token | `failures::refused_credentials`, `s3::credentials::refused` |
//! | clocks differ | `host::a_store_with_another_clock`, `host::clocks_that_cannot` |
//! | no bucket, region, no right | `s3::check_config`, `failures::what_a_store_refuses` (later) |
//! | other bytes were stored | `failures::what_a_store_refuses` (digest) |
//! | other bytes are fetched | `failures::other_bytes_than_the_digest_says` |
//! | the store or a quota is full | `failures::what_a_store_refuses` (full, quota) |
//! | the local disk is full | `host::an_upload_without_room`, `host::cached_packages_make_room` |
//! | the object is gone | `failures::an_object_that_is_gone` |
//! | a delete is refused | `failures::a_delete_that_a_lock_forbids` |

mod between;
mod by_hand;
mod commands;
mod conditions;
mod failures;
mod host;
mod kills;
mod link;
mod outage;
mod servers;
mod transfers;

use crate::support::{TestServer, bucket};
use tempfile::TempDir;

/// Servers with directories of their own that share one prefix of the bucket.
struct Fleet {
    directory: TempDir,
    settings: Vec<(&'static str, String)>,
    servers: Vec<TestServer>,
}

impl Fleet {
    /// `None` where there is no store.
    fn start(count: usize, settings: &[(&'static str, &str)]) -> Option<Self> {
        if !bucket::is_used() {
            println!("no store: scripts/bucket-test.sh has one");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let mut all = bucket::settings(directory.path());
        all.extend(
            settings
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let mut fleet = Self {
            directory,
            settings: all,
            servers: Vec::new(),
        };
        for _ in 0..count {
            fleet.add();
        }
        Some(fleet)
    }

    /// Starts one more server, whose cache is empty.
    fn add(&mut self) {
        let own = format!("server-{}", self.servers.len());
        self.servers.push(self.start_over(&own));
    }

    /// A request to the store by another program.
    fn by_hand(&self, method: &str, key: &str, more: &[&str]) -> String {
        by_hand(&self.settings, method, key, more)
    }

    /// Starts a server over a directory of this name.
    fn start_over(&self, own: &str) -> TestServer {
        let text = |(name, value): &(&'static str, String)| (*name, value.clone());
        let settings: Vec<_> = self.settings.iter().map(text).collect();
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        TestServer::over(&self.directory.path().join(own), &settings)
    }
}

/// The store's URL; `None` where there is none.
fn endpoint() -> Option<String> {
    std::env::var("TEST_BUCKET_ENDPOINT").ok()
}

/// A request to the store by curl, for what other programs do; its output.
fn by_hand(settings: &[(&str, String)], method: &str, key: &str, more: &[&str]) -> String {
    let of = |name: &str| {
        let found = settings.iter().rev().find(|(known, _)| *known == name);
        found.unwrap().1.as_str()
    };
    let keys = format!(
        "{}:{}",
        of("AWS_ACCESS_KEY_ID"),
        of("AWS_SECRET_ACCESS_KEY")
    );
    let place = of("BUCKET").trim_start_matches("s3://");
    let method = match method {
        "HEAD" => vec!["--head"],
        method => vec!["--request", method],
    };
    let output = std::process::Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail",
            "--aws-sigv4",
            "aws:amz:us-east-1:s3",
        ])
        .args([
            "--user",
            &keys,
            "--header",
            "x-amz-content-sha256: UNSIGNED-PAYLOAD",
        ])
        .args(method)
        .args(more)
        .arg(format!("{}/{place}/{key}", endpoint().unwrap()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{key}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
