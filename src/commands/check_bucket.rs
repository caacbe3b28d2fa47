//! What `check-config` asks a bucket: whether it is reached, and what its store does.
//!
//! Invariant: each thing that is not as it must be is one sentence that says what to do.

use crate::config::BucketSettings;

/// The lines of `check-config` about the bucket; the error is a sentence.
#[cfg(feature = "bucket")]
pub fn describe(settings: &BucketSettings) -> Result<String, String> {
    use crate::config::CreateMode;
    use crate::s3::{Bucket, NOT_ATOMIC, Probe};
    use std::sync::Arc;

    let bucket = Bucket::new(settings, Arc::default())?;
    let mut objects = 0;
    bucket
        .list(&mut |_| objects += 1)
        .map_err(|error| error.why)?;
    let probe = Probe::run(&bucket).map_err(|error| error.why)?;
    let creates = match (probe.creates_are_atomic, settings.create) {
        (true, _) => "atomic",
        (false, CreateMode::Check) => {
            "not atomic; only one server may publish, as bucket_create: check says"
        }
        (false, CreateMode::Atomic) => return Err(NOT_ATOMIC.to_owned()),
    };
    let deletes = if probe.deletes_are_conditional {
        "conditional"
    } else {
        "not conditional; the server looks at an object before it deletes it"
    };
    let place = bucket.place();
    Ok(format!(
        "the bucket at {place} is reached, in the region {}\n\
         the bucket lists {objects} objects\n\
         creates in the bucket are {creates}\n\
         deletes in the bucket are {deletes}\n",
        settings.region
    ))
}

#[cfg(not(feature = "bucket"))]
pub fn describe(_settings: &BucketSettings) -> Result<String, String> {
    Err(
        "this binary is built without buckets; remove bucket, or build it with the feature bucket"
            .to_owned(),
    )
}
