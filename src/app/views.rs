//! Pages for people, made from `templates/` by format strings: an argument that a template does not know, or lacks, fails
//! the build.
//!
//! Invariants: every value is escaped where it enters a page; a page asks nothing of any other host, and its policy says
//! so to the browser, without `unsafe-inline`: the one style sheet in it is named by its hash.
//!
//! Sources: the WHATWG HTML standard, section 13.3 (escaping); Content Security Policy Level 3, section 6.7.3 (hashes).

use crate::app::release;
use crate::date;
use crate::storage::{Listing, Package};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const STYLE: &str = include_str!("../../templates/packages.css");

/// The policy for every page: its own style, links to follow, nothing else.
pub fn content_security_policy() -> String {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The package page.
pub fn packages(listing: &Listing, base: &str) -> String {
    let packages = listing.packages();
    let mut rows = String::new();
    for package in packages {
        push_row(&mut rows, package, base);
    }
    if packages.is_empty() {
        rows = format!(
            include_str!("../../templates/packages_empty.html"),
            base = escape(base)
        );
    }
    let total_bytes = packages.iter().map(|package| package.state.size).sum();
    format!(
        include_str!("../../templates/packages.html"),
        style = STYLE,
        base = escape(base),
        count = packages.len(),
        total = human_size(total_bytes),
        rows = rows,
    )
}

fn push_row(rows: &mut String, package: &Package, base: &str) {
    let sha256 = package.sha256.map(|sha256| sha256.hex());
    // Writing to a string does not fail.
    let _ = write!(
        rows,
        include_str!("../../templates/packages_row.html"),
        name = escape(package.name.as_str()),
        url = escape(&release::download_url(package, base)),
        size = human_size(package.state.size),
        bytes = package.state.size,
        modified = date::rfc3339(package.state.modified),
        sha256 = sha256.as_deref().unwrap_or("being computed"),
    );
}

/// Text as it may stand in an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A size for people: three digits at most before the unit.
fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}
