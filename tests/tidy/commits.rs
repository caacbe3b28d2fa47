//! Subjects of commits: the area in front, plain words after it, at most 72 characters.

use super::report;
use std::process::Command;

const SUBJECT_CHARACTERS_MAX: usize = 72;

/// The last commit before the rule.
const BEFORE: &str = "cc60810";

/// Whether a subject is short enough and begins with an area, such as `storage: ` or `chart, docs:
/// `.
fn is_in_order(subject: &str) -> bool {
    let is_of_area = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/, ".contains(c);
    subject.chars().count() <= SUBJECT_CHARACTERS_MAX
        && subject.split_once(": ").is_some_and(|(area, words)| {
            !area.is_empty() && area.chars().all(is_of_area) && !words.is_empty()
        })
}

/// A clone without the history, and a source archive without git, hold no commits to check.
#[test]
fn subjects_begin_with_their_area_and_are_short() {
    let log = Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "log", "--no-merges"])
        .args(["--format=%h %s", &format!("{BEFORE}..HEAD")])
        .output();
    let Some(log) = log.ok().filter(|log| log.status.success()) else {
        eprintln!("skipped: the commits since {BEFORE} are not here");
        return;
    };
    let log = String::from_utf8(log.stdout).expect("subjects of UTF-8");
    let is_wrong = |line: &&str| {
        line.split_once(' ')
            .is_some_and(|(_, text)| !is_in_order(text))
    };
    let faults: Vec<String> = log.lines().filter(is_wrong).map(str::to_owned).collect();
    report(&faults);
}

#[test]
fn a_subject_has_an_area_and_few_characters() {
    assert!(is_in_order("storage: sync the parent of a new directory"));
    assert!(is_in_order("chart, docs: name the setting"));
    for wrong in [
        "Storage: x",
        "sync the parent",
        ": x",
        &format!("a: {}", "x".repeat(70)),
    ] {
        assert!(!is_in_order(wrong), "{wrong}");
    }
}
