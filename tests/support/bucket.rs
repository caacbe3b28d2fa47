//! The switch that runs the black-box tests over a bucket: with `TEST_BUCKET_ENDPOINT` in the
//! environment, the packages of every server of the tests are objects there, in the bucket `test`.
//!
//! Servers over the same directory share a prefix, so they share their packages. What tests that
//! touch files of the directory mean is not there: [`is_used`] tells them.

use super::content::hex;
use std::path::Path;

/// Whether packages live in a bucket.
pub fn is_used() -> bool {
    std::env::var_os("TEST_BUCKET_ENDPOINT").is_some()
}

/// Whether a server over a bucket keeps this beside its packages.
pub fn is_local(name: &str) -> bool {
    is_used() && name == "cache"
}

/// The settings of a server over this directory.
pub fn settings(storage: &Path) -> Vec<(&'static str, String)> {
    if !is_used() {
        return Vec::new();
    }
    let of = |name: &str| std::env::var(name).expect("set by scripts/bucket-test.sh");
    let keys = of("TEST_BUCKET_KEYS");
    let (access_key, secret_key) = keys.split_once(':').expect("two keys");
    let prefix = hex(storage.to_str().expect("a path of UTF-8").as_bytes());
    let create = create().map(|create| ("BUCKET_CREATE", create));
    let mut settings = vec![
        ("BUCKET", format!("s3://test/{}", &prefix[..16])),
        ("BUCKET_ENDPOINT", of("TEST_BUCKET_ENDPOINT")),
        ("AWS_ACCESS_KEY_ID", access_key.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret_key.to_owned()),
    ];
    settings.extend(create);
    settings
}

/// How names are created, where the store needs another way than the default.
pub fn create() -> Option<String> {
    std::env::var("TEST_BUCKET_CREATE").ok()
}
