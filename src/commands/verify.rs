//! The command `verify`: a line for each package that differs, and a summary.

use super::report::Report;
use crate::config::BucketSettings;
use crate::storage::engines;
use std::path::Path;

/// Checks the packages in the bucket, or else in the directory at `path`; returns whether all are
/// right in the end.
pub fn run(path: &Path, bucket: Option<&BucketSettings>, repair: bool) -> Result<bool, String> {
    let mut report = Report::new();
    let summary = engines::verify(path, bucket, repair, &mut |event, progress| {
        report.take(&event, progress);
    });
    report.clear();
    let summary = summary?;
    report.line(&format!(
        "packages: {}, bytes: {}, wrong: {}, repaired: {}",
        summary.packages, summary.bytes, summary.wrong, summary.repaired
    ));
    Ok(summary.wrong == 0)
}
