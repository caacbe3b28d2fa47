//! The command `copy`: moves the packages of a directory into a bucket, or back.
//!
//! A place that begins with `s3://` is a bucket; how it is reached is in the settings of buckets.

use super::report::Report;
use crate::config;
use crate::config::raw::Raw;
use crate::storage::engines::{self, Place};
use std::collections::HashMap;

/// Copies; returns whether all packages are there in the end.
pub fn run(raw: &Raw, from: &str, to: &str) -> Result<bool, String> {
    let (from, to) = (place(raw, from, " of --from")?, place(raw, to, " of --to")?);
    let mut report = Report::new();
    let summary = engines::copy(from, to, &mut |event, progress| {
        report.take(&event, progress);
    });
    report.clear();
    let summary = summary?;
    report.line(&format!(
        "packages: {}, copied: {}, bytes: {}, wrong: {}",
        summary.packages, summary.copied, summary.bytes, summary.wrong
    ));
    Ok(summary.wrong == 0)
}

fn place(raw: &Raw, text: &str, origin: &str) -> Result<Place, String> {
    if !text.starts_with("s3://") {
        return Ok(Place::Directory(text.into()));
    }
    let mut raw = raw.clone();
    let variable = ("BUCKET".to_owned(), text.to_owned());
    raw.add_variables(&HashMap::from([variable]), origin);
    let settings = config::bucket(&raw).map_err(|error| error.to_string())?;
    let settings = settings.ok_or("the bucket has no name")?;
    Ok(Place::Bucket(Box::new(settings)))
}
