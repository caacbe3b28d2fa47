//! The project's style, checked: what a reviewer would otherwise have to look for.
//!
//! Files and functions stay short, every module says what it is for, every suppression has its
//! reason, and calls stay with their owners. Sizes are counted in lines as `rustfmt` writes them.

mod modules;
mod width;

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 350;
const FUNCTION_LINES_MAX: usize = 70;

/// What only some layers may name: a word, and the layers (or modules) that may.
const OWNERS: [(&str, &[&str]); 7] = [
    ("rustix::net", &["server"]),
    ("rustix::event", &["server"]),
    ("rustix::fs", &["storage", "server/socket.rs"]),
    (
        "std::fs",
        &[
            "storage",
            "config",
            "client",
            "s3",
            "tls",
            "metrics/process.rs",
            "http/response.rs",
            "awaited.rs",
            "server",
        ],
    ),
    (
        "std::net",
        &[
            "server",
            "client",
            "config",
            "commands",
            "tls",
            "http/authority.rs",
        ],
    ),
    ("std::env", &["config/raw.rs"]),
    (
        "std::thread",
        &[
            "server",
            "storage",
            "s3",
            "tls",
            "log",
            "tokens/oidc/issuer.rs",
            "watch",
            "config/settings.rs",
        ],
    ),
];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
                found.push((path.strip_prefix(manifest).unwrap().to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The path below `src`, and the layer's first word: `src/http/head.rs` gives `http/head.rs` and
/// `http`.
fn place(path: &Path) -> (String, String) {
    let place = path
        .strip_prefix("src")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let layer = place.split('/').next().unwrap().trim_end_matches(".rs");
    (place.clone(), layer.to_owned())
}

/// Lines that are neither comments nor documentation.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn calls_stay_with_their_owners() {
    let mut faults = Vec::new();
    for (path, text) in sources("src") {
        let (place, layer) = place(&path);
        for (word, owners) in OWNERS {
            if owners
                .iter()
                .any(|owner| *owner == layer || *owner == place)
            {
                continue;
            }
            for (at, _) in code(&text).filter(|(_, line)| line.contains(word)) {
                faults.push(format!(
                    "{}:{at}: {word} is not for {layer}",
                    path.display()
                ));
            }
        }
    }
    report(&faults);
}

#[test]
fn files_and_functions_are_short() {
    let mut faults = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            faults.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        for (at, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let begins = line.contains("fn ") && !line.trim_start().starts_with("//");
            if !begins || !(line.ends_with('{') || line.ends_with('(')) {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[at..].iter().position(|line| **line == end);
            if length.is_some_and(|length| length >= FUNCTION_LINES_MAX) {
                faults.push(format!(
                    "{}:{}: a function too long",
                    path.display(),
                    at + 1
                ));
            }
        }
    }
    report(&faults);
}

#[test]
fn modules_say_what_they_are_for() {
    let mut faults = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        if !text.starts_with("//! ") {
            faults.push(format!(
                "{}: does not begin with its purpose",
                path.display()
            ));
        }
    }
    report(&faults);
}

#[test]
fn suppressions_have_reasons() {
    let mut faults = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        for (at, line) in code(&text) {
            let line = line.trim_start();
            let allows = line.starts_with("#[allow") || line.starts_with("#![allow");
            let expects = line.starts_with("#[expect") || line.starts_with("#![expect");
            let next_lines = text.lines().skip(at - 1).take(4).collect::<String>();
            if allows || (expects && !next_lines.contains("reason = \"")) {
                faults.push(format!(
                    "{}:{at}: use expect, with a reason",
                    path.display()
                ));
            }
        }
    }
    report(&faults);
}
