//! The map of the code in ARCHITECTURE.md: complete, and without what does not exist.

use super::{read, report, root};
use std::collections::BTreeSet;
use std::fs;

/// The words in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The modules of a folder of `src`, without the file that declares them.
fn modules(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("src").join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let stems = names.map(|name| name.trim_end_matches(".rs").to_owned());
    stems.filter(|stem| stem != "mod").collect()
}

#[test]
fn the_map_has_every_module_of_its_layer() {
    let architecture = read("ARCHITECTURE.md");
    let (_, table) = architecture.split_once("| Layer | Contents |").unwrap();
    let (mut faults, mut rows) = (Vec::new(), 0);
    for row in table.lines().skip(2).take_while(|row| row.starts_with('|')) {
        let (layers, contents) = row[1..].split_once('|').unwrap();
        let mut layers = quoted(layers);
        let (Some(layer), None) = (layers.next(), layers.next()) else {
            continue;
        };
        rows += 1;
        let is_module = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let mapped: BTreeSet<String> = quoted(contents)
            .map(|word| word.trim_end_matches('/'))
            .filter(is_module)
            .map(str::to_owned)
            .collect();
        let modules = modules(layer);
        let missing = modules.difference(&mapped);
        faults.extend(missing.map(|module| format!("the map has no {layer}{module}")));
        let absent = mapped
            .difference(&modules)
            .filter(|word| *word != "templates");
        faults.extend(absent.map(|word| format!("there is no {layer}{word}")));
    }
    report(&faults);
    assert!(rows >= 5, "{rows} layers were found");
}

#[test]
fn the_places_of_behaviours_exist() {
    let architecture = read("ARCHITECTURE.md");
    let (_, table) = architecture.split_once("| Behaviour | Place |").unwrap();
    let (mut faults, mut rows) = (Vec::new(), 0);
    for row in table.lines().skip(2).take_while(|row| row.starts_with('|')) {
        rows += 1;
        let (_, places) = row[1..].split_once('|').unwrap();
        let is_path = |word: &&str| word.contains(".rs") || word.ends_with('/');
        let paths: Vec<&str> = quoted(places).filter(is_path).collect();
        let exists = |path: &&str| root().join("src").join(path).exists();
        if paths.is_empty() || !paths.iter().all(exists) {
            faults.push(row.to_owned());
        }
    }
    report(&faults);
    assert!(rows >= 20, "{rows} behaviours were found");
}
