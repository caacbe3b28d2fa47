//! Links between documents: each file and each heading exists.

use super::{documents, prose, report, shown};
use std::fs;

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
