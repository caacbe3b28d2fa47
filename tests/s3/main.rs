//! The object store's side: signatures, documents and credentials; requests against a stand-in for
//! what no real store can be made to say; the operations against a real store.

#![expect(
    clippy::disallowed_methods,
    reason = "tests arrange directories and moments freely"
)]

mod bucket_settings;
#[path = "../support/certificates.rs"]
mod certificates;
mod check_config;
mod credentials;
mod documents;
mod refusals;
mod signatures;
mod stand_in;
#[path = "../support/versitygw.rs"]
mod versitygw;
mod with_a_store;

use release_server::config::raw::Raw;
use release_server::config::{self, BucketSettings};
use release_server::metrics::StoreMetrics;
use release_server::s3::Bucket;
use std::collections::HashMap;
use std::sync::Arc;

/// Names of which some characters are encoded in URLs.
pub const ODD_NAMES: [&str; 14] = [
    "plain",
    "with space",
    "plus+",
    "pct%41",
    "ü",
    "tilde~",
    "quote'x",
    "a&b<c>",
    "semi;x=1,y",
    "(paren)",
    "日本",
    "q?m",
    "h#x",
    "star*!$@:",
];

/// Settings from variables, as the server reads them.
pub fn settings(variables: &[(&str, &str)]) -> BucketSettings {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: HashMap<String, String> = variables.iter().map(own).collect();
    let mut raw = Raw::default();
    raw.add_variables(&variables, "");
    config::bucket(&raw).unwrap().unwrap()
}

/// A bucket with fixed credentials at an endpoint.
pub fn bucket_at(endpoint: &str, prefix: &str) -> Bucket {
    let location = format!("s3://packages/{prefix}");
    let settings = settings(&[
        ("BUCKET", &location),
        ("BUCKET_ENDPOINT", endpoint),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-tests"),
    ]);
    Bucket::new(&settings, Arc::<StoreMetrics>::default()).unwrap()
}
