//! One width for all sources: Rust, shell, Python, JavaScript and Markdown.
//!
//! Exempt are lines that hold a URL, and in Markdown tables, code fences and the targets of links.

use super::report;
use std::fs;
use std::path::{Path, PathBuf};

const COLUMNS_MAX: usize = 100;

/// Folders that hold what is built, downloaded or generated.
const OTHERS: [&str; 5] = ["target", "node_modules", ".git", "corpus", "artifacts"];

/// All source files below a folder, by their endings; a script without an ending begins with `#!`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if !OTHERS.iter().any(|other| name == *other) {
                files(&path, found);
            }
            continue;
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_source = match ending {
            Some(ending) => ["rs", "sh", "py", "mjs", "md"].contains(&ending),
            None => fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"#!")),
        };
        if is_source {
            found.push(path);
        }
    }
}

/// Whether a line is as narrow as it can be.
fn fits(line: &str) -> bool {
    line.chars().count() <= COLUMNS_MAX || line.contains("://")
}

/// The numbers of the lines of a Markdown text that are too wide.
fn too_wide_in_markdown(text: &str) -> Vec<usize> {
    let mut is_fenced = false;
    let mut wide = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if start.starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced && !start.starts_with('|') {
            let mut parts = line.split("](");
            let mut shown = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                shown.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
            }
            if !fits(&shown) {
                wide.push(at + 1);
            }
        }
    }
    wide
}

fn too_wide(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    let wide = lines.filter(|(_, line)| !fits(line));
    wide.map(|(at, _)| at + 1).collect()
}

#[test]
fn no_line_is_wider_than_the_one_width() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    files(root, &mut paths);
    assert!(paths.len() > 100, "{paths:?}");
    let mut faults = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a source of UTF-8");
        let is_markdown = path.extension().is_some_and(|ending| ending == "md");
        let lines = if is_markdown {
            too_wide_in_markdown(&text)
        } else {
            too_wide(&text)
        };
        let place = path.strip_prefix(root).expect("below the root").display();
        let fault = |line| format!("{place}:{line}: over {COLUMNS_MAX} columns");
        faults.extend(lines.into_iter().map(fault));
    }
    report(&faults);
}

#[test]
fn tables_fences_and_links_may_be_wider() {
    let long = "x ".repeat(60);
    let text = format!("{long}\n| {long}|\n```\n{long}\n```\n[a]({long}) b\n{long}\n");
    assert_eq!(too_wide_in_markdown(&text), [1, 7]);
    assert_eq!(too_wide(&format!("{long}\nshort\n{long}://h\n")), [1]);
}
