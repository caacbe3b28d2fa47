//! The modules of `src` and what each imports: layers import only from those below, and no circle
//! of modules exists.
//!
//! An import is a path that begins with `crate`, `super`, `self` or a child's name, in a `use` tree
//! or in code. A path is followed through the `use` lines of a parent to the module that defines
//! the item, so a parent that only declares and re-exports its children is not part of a circle.
//! The text is read as `rustfmt` writes it.

use super::{code, report, sources};
use std::collections::{BTreeMap, BTreeSet};

/// The layers, from the top. A module uses its own layer and those below it.
const LAYERS: [&[&str]; 11] = [
    &["main", "commands"],
    &["server"],
    &["app"],
    &["storage"],
    &["s3"],
    &["tls", "tokens"],
    &["config"],
    &["client"],
    &["http", "manifest"],
    &["metrics"],
    &[
        "log",
        "awaited",
        "clock",
        "checksum",
        "date",
        "disk_gate",
        "limits",
        "pattern",
        "text",
        "version",
        "watch",
    ],
];

/// A path of the crate, without the leading `crate`: the root is empty.
type Path = Vec<String>;

#[derive(Default)]
struct Module {
    /// Paths in its code, with their lines.
    paths: Vec<(usize, Path)>,
    /// The names that `use` lines bind, and the paths they stand for.
    bound: BTreeMap<String, Path>,
}

type Modules = BTreeMap<Path, Module>;

/// The module that a file below `src` holds.
fn module_of(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let words = path.split('/').filter(|word| *word != "lib");
    words.map(str::to_owned).collect()
}

/// The paths of a `use` tree, each with the name that it binds.
fn leaves(tree: &str, prefix: &[String], found: &mut Vec<(String, Path)>) {
    let tree = tree.trim();
    let open = tree.find('{');
    let (path, group) = match open {
        Some(at) => (
            tree[..at].trim_end_matches("::"),
            Some(&tree[at + 1..tree.len() - 1]),
        ),
        None => (tree, None),
    };
    let (path, alias) = path.split_once(" as ").unwrap_or((path, ""));
    let words = path
        .split("::")
        .filter(|word| !word.is_empty() && *word != "*");
    let mut whole = prefix.to_vec();
    whole.extend(words.map(|word| word.trim().to_owned()));
    let Some(group) = group else {
        if whole.len() > 1 && whole.last().is_some_and(|last| last == "self") {
            whole.pop();
        }
        let name = match alias {
            "" => whole.last().cloned().unwrap_or_default(),
            alias => alias.to_owned(),
        };
        found.push((name, whole));
        return;
    };
    let (mut depth, mut begin) = (0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                leaves(&group[begin..at], &whole, found);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if !group[begin..].trim().is_empty() {
        leaves(&group[begin..], &whole, found);
    }
}

/// The paths in a line of code, outside `use`: words joined by `::`.
fn paths_in(line: &str) -> impl Iterator<Item = Path> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    line.split(move |c| !is_part(c))
        .filter(|word| word.contains("::"))
        .map(|word| {
            let parts = word.split(':').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        })
}

fn parse(file: &str, text: &str) -> Module {
    let mut module = Module::default();
    let own = [vec!["crate".to_owned()], module_of(file)].concat();
    let mut lines = code(text);
    while let Some((at, line)) = lines.next() {
        let line = line.split(" // ").next().unwrap_or(line).trim();
        let (visibility, tree) = match line.split_once("use ") {
            Some((before, tree)) if before.is_empty() || before.starts_with("pub") => {
                (before, tree)
            }
            _ => {
                module.paths.extend(paths_in(line).map(|path| (at, path)));
                continue;
            }
        };
        let mut tree = tree.to_owned();
        while !tree.ends_with(';') {
            tree.push_str(lines.next().expect("the end of a use line").1.trim());
        }
        let mut found = Vec::new();
        leaves(tree.trim_end_matches(';'), &[], &mut found);
        for (name, path) in found {
            let leads_down = !["crate", "super"].contains(&path[0].as_str());
            // A re-export of a module below is a declaration, not an import.
            if visibility.is_empty() || !(leads_down || path.starts_with(&own)) {
                module.paths.push((at, path.clone()));
            }
            module.bound.insert(name, path);
        }
    }
    module
}

/// The module that defines the item of a path; `None` for an item of another crate and for a name
/// that a `use` line binds, because that line is the import.
fn resolve(modules: &Modules, from: &[String], path: &[String]) -> Option<Path> {
    let mut at = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "super" => from[..from.len() - 1].to_vec(),
        "self" => from.to_vec(),
        first => {
            let child = [from, &[first.to_owned()]].concat();
            modules.contains_key(&child).then_some(child)?
        }
    };
    for (index, word) in path.iter().enumerate().skip(1) {
        let child = [&at[..], std::slice::from_ref(word)].concat();
        if word == "super" {
            at.pop();
        } else if modules.contains_key(&child) {
            at = child;
        } else {
            let bound = modules.get(&at).and_then(|module| module.bound.get(word));
            let Some(bound) = bound.filter(|bound| *bound != path) else {
                break;
            };
            let whole = [&bound[..], &path[index + 1..]].concat();
            return resolve(modules, &at, &whole);
        }
    }
    Some(at)
}

/// What each module imports, and the first line that does.
fn imports(files: &[(String, String)]) -> BTreeMap<Path, BTreeMap<Path, String>> {
    let parse = |(file, text): &(String, String)| (module_of(file), parse(file, text));
    let modules: Modules = files.iter().map(parse).collect();
    let mut imports: BTreeMap<Path, BTreeMap<Path, String>> = BTreeMap::new();
    for (file, _) in files {
        let name = module_of(file);
        for (line, path) in &modules[&name].paths {
            if let Some(used) = resolve(&modules, &name, path).filter(|used| *used != name) {
                let lines = imports.entry(name.clone()).or_default();
                lines
                    .entry(used)
                    .or_insert_with(|| format!("src/{file}:{line}"));
            }
        }
    }
    imports
}

/// The shortest circle through each module that is in one, each circle once.
fn circles(files: &[(String, String)]) -> Vec<String> {
    let imports = imports(files);
    let mut found: BTreeMap<BTreeSet<&Path>, String> = BTreeMap::new();
    for start in imports.keys() {
        let mut ways = vec![vec![start]];
        let mut seen = BTreeSet::new();
        let mut next = 0;
        while let Some(way) = ways.get(next).cloned() {
            next += 1;
            let last = way[way.len() - 1];
            for (used, _) in imports.get(last).into_iter().flatten() {
                if used == start {
                    let name = |path: &&Path| path.join("::");
                    let line = |pair: &[&Path]| imports[pair[0]][pair[1]].clone();
                    let whole = [&way[..], &[start]].concat();
                    let names: Vec<String> = whole.iter().map(name).collect();
                    let lines: Vec<String> = whole.windows(2).map(line).collect();
                    let text = format!("{} ({})", names.join(" -> "), lines.join(", "));
                    found.entry(way.iter().copied().collect()).or_insert(text);
                    ways.truncate(next);
                } else if seen.insert(used) {
                    ways.push([&way[..], &[used]].concat());
                }
            }
        }
    }
    found.into_values().collect()
}

fn crate_files() -> Vec<(String, String)> {
    let below_src = |path: std::path::PathBuf| {
        let path = path.strip_prefix("src").expect("a path below src");
        path.to_str().expect("a path of UTF-8").to_owned()
    };
    let files = sources("src").into_iter();
    files.map(|(path, text)| (below_src(path), text)).collect()
}

#[test]
fn layers_import_only_from_those_below() {
    let rank = |module: &Path| {
        let layer = module.first().map_or("lib", String::as_str);
        LAYERS.iter().position(|layers| layers.contains(&layer))
    };
    let files = crate_files();
    let mut faults = Vec::new();
    for (file, _) in &files {
        if file != "lib.rs" && rank(&module_of(file)).is_none() {
            faults.push(format!("src/{file} is in no layer"));
        }
    }
    for (module, used) in imports(&files) {
        for (used, line) in used {
            if rank(&used).is_some_and(|used| Some(used) < rank(&module)) {
                let (module, used) = (module.join("::"), used.join("::"));
                faults.push(format!("{line}: {module} uses {used}"));
            }
        }
    }
    report(&faults);
}

#[test]
fn no_circle_of_modules_exists() {
    report(&circles(&crate_files()));
}

/// The check itself, on small crates: files and texts, and the circle that they hold.
#[test]
fn a_circle_is_found_whatever_closes_it() {
    let cases: [(&[(&str, &str)], &str); 7] = [
        (
            &[
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "fn f() { crate::a::g() }"),
            ],
            "a -> b -> a (src/a.rs:1, src/b.rs:1)",
        ),
        (
            &[
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use crate::c;"),
                ("c.rs", "use crate::a;"),
            ],
            "a -> b -> c -> a (src/a.rs:1, src/b.rs:1, src/c.rs:1)",
        ),
        // A child that uses its parent, which uses the child.
        (
            &[
                ("a/mod.rs", "mod b;\nuse b::B;\nstruct A;"),
                ("a/b.rs", "use super::A;"),
            ],
            "a -> a::b -> a (src/a/mod.rs:2, src/a/b.rs:1)",
        ),
        // Siblings, through what their parent re-exports.
        (
            &[
                ("a/mod.rs", "pub use b::B;\npub use c::C;"),
                ("a/b.rs", "use super::{\n    C,\n};"),
                ("a/c.rs", "use crate::a::B;"),
            ],
            "a::b -> a::c -> a::b (src/a/b.rs:1, src/a/c.rs:1)",
        ),
        (
            &[
                ("a/mod.rs", "fn f() { b::f() }"),
                ("a/b.rs", "use super::*;"),
            ],
            "a -> a::b -> a (src/a/mod.rs:1, src/a/b.rs:1)",
        ),
        // A parent that declares and re-exports is not in a circle with its children.
        (
            &[
                (
                    "a/mod.rs",
                    "mod b;\npub use b::{B, D};\npub use crate::a::c::C;",
                ),
                ("a/b.rs", "use super::C;"),
                ("a/c.rs", "use std::io::{self, Read as _};"),
            ],
            "",
        ),
        (
            &[
                ("a.rs", "// crate::b\nuse self::X;"),
                ("b.rs", "use super::a;"),
            ],
            "",
        ),
    ];
    for (files, circle) in cases {
        let owned = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
        let files: Vec<_> = files.iter().map(owned).collect();
        assert_eq!(circles(&files).join("\n"), circle);
    }
}
