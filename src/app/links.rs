//! The links from one page of a list to the others.
//!
//! Sources: GitHub's REST API, "Using pagination in the REST API"; RFC 8288.

use crate::app::negotiate::Page;
use std::fmt::Write;

/// The value of `Link` for a page of a list; empty if the list has a single page. `query` is
/// appended to each address.
pub fn links(url: &str, query: &str, page: Page, items: usize) -> String {
    let last = items.div_ceil(page.size).max(1);
    let mut links = String::new();
    let mut add = |relation: &str, number: usize| {
        let separator = if links.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(
            links,
            "{separator}<{url}?per_page={}&page={number}{query}>; rel=\"{relation}\"",
            page.size
        );
    };
    if page.number > 1 {
        add("prev", last.min(page.number - 1));
    }
    if page.number < last {
        add("next", page.number + 1);
        add("last", last);
    }
    if page.number > 1 {
        add("first", 1);
    }
    links
}

/// The `Link` field of such a value.
pub fn link_header(links: &str) -> Vec<(&'static str, &str)> {
    let links = Some(links).filter(|links| !links.is_empty());
    links.map(|links| ("Link", links)).into_iter().collect()
}
