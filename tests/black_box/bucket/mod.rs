//! Packages in a bucket: what only several servers before one store, and a store that fails, show.
//! The other black-box tests run over a bucket too, by `scripts/bucket-test.sh`.
//!
//! Without a store in the environment these tests have nothing to ask, and say so.

mod between;
mod by_hand;
mod commands;
mod failures;
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
