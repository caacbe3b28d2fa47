//! Citations of the contract in comments: each section and each title in it exists.

use super::{files_below, flowing, read, report, shown};
use std::fs;

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

#[test]
fn cited_sections_of_the_contract_exist() {
    let contract = read("docs/contract.md");
    let (mut faults, mut citations) = (Vec::new(), 0);
    let mut sources = files_below("src", &["rs"]);
    sources.extend(files_below("tests", &["rs", "py", "sh"]));
    sources.extend(files_below("scripts", &["py", "sh"]));
    for path in sources {
        if path.ends_with("tests/documents/citations.rs") {
            continue;
        }
        let text = flowing(&fs::read_to_string(&path).unwrap());
        let words = ["contract.md, section ", "contract.md, sections "];
        if text.replace(words[0], "").contains("contract, section") {
            faults.push(format!(
                "{}: cite docs/contract.md, section N",
                shown(&path)
            ));
        }
        for word in words {
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
