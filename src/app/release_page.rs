//! The page of one release.

use crate::app::release::{DownloadCount, segment};
use crate::app::views::{self, count, escape, push_row, total};
use crate::date;
use crate::http::template::MARKS;
use crate::storage::Release;
use std::time::UNIX_EPOCH;

/// The root of the server, as seen from `/{owner}/{repo}/releases/tag/{tag}`.
const ROOT: &str = "../../../..";

pub fn render(release: &Release, downloads: &DownloadCount<'_>) -> String {
    let mut rows = String::new();
    for package in &release.packages {
        push_row(&mut rows, package, ROOT, downloads);
    }
    let newest = release.packages.first();
    let published = newest.map_or(UNIX_EPOCH, |package| package.state.modified);
    let kind = if release.is_pre_release {
        "Pre-release, "
    } else {
        ""
    };
    let summary = format!(
        "{kind}{}, {}, published {}",
        count(release.packages.len()),
        total(&release.packages),
        &date::rfc3339(published)[..10]
    );
    format!(
        include_str!("../../templates/release.html"),
        head = views::head(&escape(&release.tag), ""),
        base = MARKS[0],
        tag = escape(&release.tag),
        summary = summary,
        root = ROOT,
        checksums = escape(&format!("../download/{}/SHA256SUMS", segment(&release.tag))),
        rows = rows,
        script = views::SCRIPT,
    )
}
