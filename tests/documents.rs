//! The documents: what they repeat from the sources, what they cite and link, and their form.
//!
//! Invariant: a text that two places need is made from one of them. `UPDATE_DOCS=1 cargo test
//! --test documents` rewrites the parts that are made from the sources; without the variable a
//! stale part fails.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read and write the project's own documents"
)]

use release_server::config::keys::{self, Key};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const WIDTH_MAX: usize = 100;
const MANUAL_WIDTH_MAX: usize = 78;
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

fn markdown_row(key: &Key) -> String {
    let variables: Vec<String> = key
        .variables
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let default = match key.default {
        "" => key.unset.to_owned(),
        default => format!("`{default}`"),
    };
    format!(
        "| `{}` | {} | {default} | {} |\n",
        key.name,
        variables.join(", "),
        key.takes
    )
}

fn manual_entry(key: &Key) -> String {
    let mut entry = format!(".It Ev {} Pq Li {}\n", key.variables.join(" , "), key.name);
    let default = match key.default {
        "" => String::new(),
        default => format!(" [{default}]"),
    };
    let mut width = 0;
    for word in format!("{}{default}", key.takes).split(' ') {
        let separator = match width {
            0 => "",
            _ if width + 1 + word.len() > MANUAL_WIDTH_MAX => "\n",
            _ => " ",
        };
        if separator == "\n" {
            width = 0;
        }
        width += separator.len() + word.len();
        write!(entry, "{separator}{word}").unwrap();
    }
    entry + "\n"
}

#[test]
fn the_tables_of_settings_are_those_of_the_source() {
    let rows: String = keys::ALL.iter().map(|key| markdown_row(key)).collect();
    let table = format!("\n| Key | Variable | Default | Accepted |\n|---|---|---|---|\n{rows}\n");
    let end = "<!-- end of settings -->";
    check_made_part("docs/configuration.md", "<!-- settings:", end, &table);
    let entries: String = keys::ALL.iter().map(|key| manual_entry(key)).collect();
    let end = ".\\\" end of settings";
    check_made_part("docs/release-server.1", ".\\\" settings:", end, &entries);
}

/// The numbers after "section" or "sections", and a quoted title that follows: `1 and 2`, `1,
/// "Upload errors"`.
fn cited_sections(text: &str) -> (Vec<u32>, Option<String>) {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            break;
        }
        numbers.push(rest[..digits].parse().unwrap());
        rest = &rest[digits..];
        let next = [", ", " and ", " to "]
            .iter()
            .find_map(|word| rest.strip_prefix(word));
        match next {
            Some(next) => rest = next,
            None => break,
        }
    }
    let title = rest
        .trim_start_matches(", ")
        .strip_prefix('"')
        .and_then(|title| title.split('"').next());
    (numbers, title.map(str::to_owned))
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

#[test]
fn cited_sections_of_the_contract_exist() {
    let contract = read("docs/contract.md");
    let (mut faults, mut citations) = (Vec::new(), 0);
    let mut sources = files_below("src", &["rs"]);
    sources.extend(files_below("tests", &["rs", "py", "sh"]));
    sources.extend(files_below("scripts", &["py", "sh"]));
    for path in sources {
        if path.ends_with("tests/documents.rs") {
            continue;
        }
        let text = flowing(&fs::read_to_string(&path).unwrap());
        let words = ["contract.md, section ", "contract.md, sections "];
        let older = ["contract, section ", "contract, sections "];
        for word in words.into_iter().chain(older) {
            for cited in text.split(word).skip(1) {
                citations += 1;
                let (numbers, title) = cited_sections(cited);
                let exist = |number: &u32| contract.contains(&format!("\n## {number}. "));
                let names = |title: &String| contract.contains(&format!("**{title}"));
                if numbers.is_empty() || !numbers.iter().all(exist) || !title.iter().all(names) {
                    faults.push(format!("{}: {numbers:?} {title:?}", shown(&path)));
                }
            }
        }
    }
    report(&faults);
    assert!(citations > 30, "{citations} citations were found");
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
fn documents_have_one_width() {
    let mut faults = Vec::new();
    for path in documents() {
        for (at, line) in prose(&fs::read_to_string(&path).unwrap()) {
            let is_exempt = line.trim_start().starts_with('|') || line.contains("://");
            if line.chars().count() > WIDTH_MAX && !is_exempt {
                faults.push(format!("{}:{at}: over {WIDTH_MAX} columns", shown(&path)));
            }
        }
    }
    report(&faults);
    let lines = read("README.md").lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines");
}

/// The name by which GitHub links to a heading.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut faults = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for (at, line) in prose(&text) {
            for link in line.split("](").skip(1) {
                let link = link.split(')').next().unwrap();
                if link.contains("://") {
                    continue;
                }
                let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
                let target = match file {
                    "" => path.clone(),
                    file => path.parent().unwrap().join(file),
                };
                let has_heading = |text: &str| {
                    prose(text)
                        .iter()
                        .any(|(_, line)| line.starts_with('#') && anchor(line) == fragment)
                };
                let leads = target.exists()
                    && (fragment.is_empty()
                        || fs::read_to_string(&target).is_ok_and(|text| has_heading(&text)));
                if !leads {
                    faults.push(format!("{}:{at}: {link}", shown(&path)));
                }
            }
        }
    }
    report(&faults);
}
