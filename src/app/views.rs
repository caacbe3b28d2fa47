//! Pages for people, made from `templates/` by format strings: an argument that a template does not
//! know, or lacks, fails the build.
//!
//! Invariants: every value is escaped where it enters a page; a page loads nothing from any host,
//! and its policy tells the browser so without `unsafe-inline`: the one style sheet and the one
//! script are named by their hashes. Links are relative to the page, so they work behind any
//! proxy's prefix.
//!
//! Sources: the WHATWG HTML standard, section 13.3 (escaping); Content Security Policy Level 3,
//! section 6.7.3 (hashes); Unicode Standard Annex #9, section 2 (directional controls).

use crate::app::release::{self, DownloadCount};
use crate::date;
use crate::http::template::Values;
use crate::storage::Package;
use crate::version::Version;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

const STYLE: &str = include_str!("../../templates/pages.css");
pub const SCRIPT: &str = include_str!("../../templates/packages.js");
const ICON: &str = include_str!("../../templates/icon.svg");

/// The media type of a page.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// The policy of every page: its own style, script and icon, links to follow, nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT),
    )
});

/// The headers of every page.
pub fn headers() -> [(&'static str, &'static str); 2] {
    [
        ("Content-Security-Policy", POLICY.as_str()),
        ("Referrer-Policy", "no-referrer"),
    ]
}

/// The values of a page for a client that reaches the server by `base`: the base as an attribute
/// and as a word in a shell's command.
pub fn values(base: &str) -> Values {
    [escape(base), escape(&shell_word(base))]
        .map(String::into_boxed_str)
        .into()
}

/// Text as a word of a POSIX shell, quoted only if it needs to be.
fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/@%+=,".contains(&byte);
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The page of an error. `way_back` is the path of the package page, if it is known.
pub fn error(status: u16, reason: &str, sentence: &str, way_back: Option<&str>) -> String {
    let way_back = way_back.map_or(String::new(), |path| {
        format!("<p><a href=\"{}\">All packages</a></p>\n", escape(path))
    });
    format!(
        include_str!("../../templates/error.html"),
        head = head(&format!("{status} {reason}"), ""),
        status = status,
        reason = reason,
        sentence = escape(sentence),
        way_back = way_back,
    )
}

/// Appends a package's row to a table. `root` is the relative path of the server's root.
pub fn push_row(rows: &mut String, package: &Package, root: &str, count: &DownloadCount<'_>) {
    let modified = date::rfc3339(package.state.modified);
    let sha256 = package.sha256.map(|sha256| sha256.hex());
    let name = package.name.as_str();
    let newest = newest_of_this_name(name).map_or_else(String::new, |pattern| {
        let href = escape(&format!(
            "{root}/latest/download/{}",
            release::segment(&pattern)
        ));
        format!(" <a href=\"{href}\" title=\"The newest of this name\">newest</a>")
    });
    // Writing to a string does not fail.
    let _ = write!(
        rows,
        include_str!("../../templates/packages_row.html"),
        name = escape(name),
        url = escape(&release::download_url(package, root)),
        size = human_size(package.state.size),
        bytes = package.state.size,
        modified = modified,
        shown = format_args!("{} {} UTC", &modified[..10], &modified[11..16]),
        downloads = count(name),
        sha256 = sha256.as_deref().unwrap_or_default(),
        short = sha256.as_deref().map_or("being computed", |hex| &hex[..12]),
        newest = newest,
    );
}

/// The pattern that a name with any version matches; `None` for a name without a version, or with
/// characters of a pattern.
fn newest_of_this_name(name: &str) -> Option<String> {
    let version = Version::of(name)?;
    let at = name.rfind(version.as_str())?;
    let (before, after) = (&name[..at], &name[at + version.as_str().len()..]);
    (!name.contains(['*', '?'])).then(|| format!("{before}*{after}"))
}

/// The beginning of every page. `links` are further elements of the head; neither argument holds
/// anything that needs escaping.
pub fn head(title: &str, links: &str) -> String {
    format!(
        include_str!("../../templates/head.html"),
        title = title,
        links = links,
        icon = format_args!("data:image/svg+xml;base64,{}", BASE64_STANDARD.encode(ICON)),
        style = STYLE,
    )
}

pub fn count(packages: usize) -> String {
    match packages {
        1 => "1 package".to_owned(),
        other => format!("{other} packages"),
    }
}

pub fn total<'p>(packages: impl IntoIterator<Item = &'p Arc<Package>>) -> String {
    let sizes = packages.into_iter().map(|package| package.state.size);
    human_size(sizes.sum())
}

/// Escapes text for an element or a quoted attribute. Characters that change the direction of text
/// are written as their code points.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "[U+{:04X}]", u32::from(character));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// A size for people, with one decimal place.
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
