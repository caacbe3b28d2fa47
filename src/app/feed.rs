//! The feed of releases, in the shape of GitHub's.
//!
//! Invariant: an entry's id is the address of the release's page and does not change.
//!
//! Source: RFC 4287.

use crate::app::packages_page::REPOSITORY;
use crate::app::release::segment;
use crate::app::views::escape;
use crate::date;
use crate::http::template::MARKS;
use crate::storage::Release;
use std::fmt::Write;
use std::time::UNIX_EPOCH;

/// The feed of these releases; its URLs begin with the first of [`MARKS`].
pub fn render(releases: &[&Release]) -> String {
    let updated = releases
        .first()
        .map_or_else(|| date::rfc3339(UNIX_EPOCH), |r| updated(r));
    let mut entries = String::new();
    for release in releases {
        let mut files = String::new();
        for package in &release.packages {
            // Writing to a string does not fail.
            let _ = write!(files, "<li>{}</li>", escape(package.name.as_str()));
        }
        let page = format!(
            "{}/{REPOSITORY}/releases/tag/{}",
            MARKS[0],
            segment(&release.tag)
        );
        let _ = write!(
            entries,
            include_str!("../../templates/feed_entry.xml"),
            page = page,
            updated = self::updated(release),
            tag = escape(&release.tag),
            content = escape(&format!("<ul>{files}</ul>")),
        );
    }
    format!(
        include_str!("../../templates/feed.xml"),
        base = MARKS[0],
        updated = updated,
        entries = entries,
    )
}

fn updated(release: &Release) -> String {
    let newest = release.packages.first();
    date::rfc3339(newest.map_or(UNIX_EPOCH, |package| package.state.modified))
}
