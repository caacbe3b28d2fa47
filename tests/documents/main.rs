//! The documents: what they repeat from the sources, what they cite and link, and their form.
//!
//! Invariant: a text that two places need is made from one of them. `UPDATE_DOCS=1 cargo test
//! --test documents` rewrites the parts that are made from the sources; without the variable a
//! stale part fails.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read and write the project's own documents"
)]

mod citations;
mod limits;
mod links;
mod map;
mod settings;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const README_LINES_MAX: usize = 200;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder whose name has one of the endings.
fn files_below(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if ending.is_some_and(|ending| endings.contains(&ending)) {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "{folder} has no such files");
    files
}

fn documents() -> Vec<PathBuf> {
    let names = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "chart/README.md",
    ];
    let mut documents = files_below("docs", &["md"]);
    documents.extend(names.map(|name| root().join(name)));
    documents
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// Compares the part of a document between the lines that hold `begin` and `end` with what it is
/// made from.
fn check_made_part(path: &str, begin: &str, end: &str, made: &str) {
    let text = read(path);
    let (before, rest) = text.split_once(begin).expect("the first mark is missing");
    let (mark, rest) = rest.split_once('\n').expect("the first mark ends its line");
    let (_, after) = rest.split_once(end).expect("the last mark is missing");
    let renewed = format!("{before}{begin}{mark}\n{made}{end}{after}");
    if renewed == text {
        return;
    }
    assert!(
        env::var_os("UPDATE_DOCS").is_some(),
        "{path} is stale; run UPDATE_DOCS=1 cargo test --test documents"
    );
    fs::write(root().join(path), renewed).unwrap();
}

/// A source's text with its comments on one line, so that a citation may be broken anywhere.
fn flowing(text: &str) -> String {
    text.lines()
        .map(|line| {
            line.trim()
                .trim_start_matches(['/', '!', '#'])
                .trim()
                .to_owned()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Lines of Markdown outside of code blocks, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push((at + 1, line));
        }
    }
    lines
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines");
}
