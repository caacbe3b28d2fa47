//! Manifests: what a catalog takes from them, and the reason for which it leaves them out.

use crate::archives::of_texts;
use crate::manifest_tables::{CHANGED, GOOD, good};
use release_server::manifest::kind::Kind;
use release_server::manifest::outcome::{Reason, Recognised};
use release_server::manifest::read::read;

/// Reads an archive that holds this manifest.
pub fn read_manifest(kind: Kind, text: &str) -> Recognised {
    let archive = of_texts(&[(kind.manifest(), text), ("__init__.py", "")]);
    read("a.zip", &archive[..])
        .expect("bytes in memory")
        .expect("a package")
}

#[test]
fn a_good_manifest_of_each_kind_is_listed() {
    for (kind, text) in GOOD {
        let package = read_manifest(*kind, text);
        assert_eq!(package.kind, *kind);
        let manifest = package
            .listing
            .unwrap_or_else(|unlisted| panic!("{kind:?}: {unlisted:?}"));
        assert_eq!(manifest.version.as_str(), "1.0.0", "{kind:?}");
        assert_eq!(package.id.as_deref(), Some(&manifest.id[..]));
        assert_eq!(package.version.as_deref(), Some("1.0.0"));
    }
}

#[test]
fn an_entry_takes_the_manifests_fields() {
    let manifest = read_manifest(Kind::Extension, good(Kind::Extension))
        .listing
        .expect("listed");
    let texts = [
        ("author", "A".to_owned()),
        ("effect", "read-only".to_owned()),
    ];
    assert_eq!(manifest.texts, texts);
    assert_eq!(manifest.tags, ["a", "b c"]);
    assert_eq!(manifest.provides, [("commands", 1), ("hooks", 1)]);
    assert_eq!(manifest.speckit_version.as_deref(), Some(">=1.0"));
    let step = read_manifest(Kind::Step, good(Kind::Step))
        .listing
        .expect("listed");
    assert_eq!((&step.name[..], &step.description[..]), ("acme", ""));
    let paths: Vec<_> = step.files.iter().map(|file| &file.path[..]).collect();
    assert_eq!(paths, ["__init__.py", "step.yml"]);
}

#[test]
fn one_changed_text_has_one_reason() {
    for (kind, from, to, refusal) in CHANGED {
        let text = good(*kind);
        assert!(text.contains(from), "{kind:?} has no {from:?}");
        let package = read_manifest(*kind, &text.replacen(from, to, 1));
        match (package.listing, refusal) {
            (Ok(_), None) => {}
            (Err(unlisted), Some((reason, part))) => {
                assert_eq!(
                    unlisted.reason, *reason,
                    "{kind:?} {to:?}: {}",
                    unlisted.message
                );
                assert!(
                    unlisted.message.contains(part),
                    "{to:?}: {}",
                    unlisted.message
                );
            }
            (outcome, _) => panic!("{kind:?} {from:?} → {to:?}: {outcome:?}"),
        }
    }
}

#[test]
fn fields_have_bounds() {
    let extension = good(Kind::Extension);
    let tags: Vec<String> = (0..21).map(|tag| tag.to_string() + "x").collect();
    for (from, fits, too_long) in [
        (
            "name: Acme",
            format!("name: {}", "x".repeat(200)),
            format!("name: {}", "x".repeat(201)),
        ),
        (
            "author: A",
            format!("author: {}", "x".repeat(1024)),
            format!("author: {}", "x".repeat(1025)),
        ),
        (
            "[a, 'b c']",
            format!("[{}]", tags[1..].join(",")),
            format!("[{}]", tags.join(",")),
        ),
        (
            "[a, 'b c']",
            format!("[{}]", "x".repeat(64)),
            format!("[{}]", "x".repeat(65)),
        ),
    ] {
        let read =
            |to: &str| read_manifest(Kind::Extension, &extension.replacen(from, to, 1)).listing;
        assert!(read(&fits).is_ok(), "{fits}");
        assert_eq!(
            read(&too_long).expect_err("too long").reason,
            Reason::Field,
            "{too_long}"
        );
    }
    // Each field within its bound, all together over that of a package.
    let bundle = good(Kind::Bundle);
    let long = "x".repeat(1024);
    let more = format!("license: {long}, repository: {long}, category: {long}, effect: {long}");
    let text = bundle
        .replace("role: dev", &format!("role: {long}"))
        .replace("description: d", &format!("description: {long}"))
        .replace("author: A", &format!("author: {long}"))
        .replace("license: MIT", &more)
        .replace("'>=1.0'", &format!("'>=1.0{}'", " ".repeat(1000)));
    let unlisted = read_manifest(Kind::Bundle, &text)
        .listing
        .expect_err("over 8 KiB");
    assert_eq!(unlisted.reason, Reason::TooLarge, "{}", unlisted.message);
}
