//! Catalogs: which packages are listed, and the documents that say so.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use crate::manifest::read_manifest;
use crate::manifest_tables::good;
use release_server::app::catalog::document;
use release_server::checksum::Sha256;
use release_server::http::template::MARKS;
use release_server::manifest::kind::Kind;
use release_server::manifest::outcome::Manifest;
use release_server::manifest::selection::{Candidate, Selection};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// A package: file, kind, id, version, seconds of its age, and the byte that its checksum consists
/// of.
type Row = (&'static str, Kind, &'static str, &'static str, u64, u8);

struct Package {
    row: Row,
    manifest: Manifest,
    sha256: Sha256,
}

fn packages(rows: &[Row]) -> Vec<Package> {
    let package = |row: &Row| {
        let text = good(row.1).replacen("\"1.0.0\"", "1.0.0", 1);
        let version = format!("'{}'", row.3);
        let text = text
            .replacen("acme", row.2, 1)
            .replacen("1.0.0", &version, 1);
        let manifest = read_manifest(row.1, &text).listing.expect(row.0);
        Package {
            row: *row,
            manifest,
            sha256: Sha256::new([row.5; 32]),
        }
    };
    rows.iter().map(package).collect()
}

fn select(packages: &[Package]) -> Selection<'_> {
    Selection::new(packages.iter().map(|package| Candidate {
        file: package.row.0,
        modified: SystemTime::UNIX_EPOCH + Duration::from_secs(package.row.4),
        sha256: package.sha256,
        kind: package.row.1,
        manifest: &package.manifest,
    }))
}

/// Packages, the current version, the releases and the duplicates.
type Case<'c> = (&'c [Row], &'c str, &'c [&'c str], &'c [&'c str]);

#[test]
fn the_highest_final_version_is_current() {
    use Kind::{Extension, Integration};
    let cases: &[Case<'_>] = &[
        (&[("a", Extension, "x", "1.0.0", 1, 1)], "1.0.0", &[], &[]),
        (
            &[
                ("a", Extension, "x", "1.9", 3, 1),
                ("b", Extension, "x", "1.10", 1, 2),
                ("c", Extension, "x", "2.0rc1", 2, 3),
                ("d", Extension, "x", "2.0.dev1", 2, 4),
            ],
            "1.10",
            &["2.0rc1", "2.0.dev1", "1.9"],
            &[],
        ),
        (
            &[
                ("a", Extension, "x", "1.0a1", 1, 1),
                ("b", Extension, "x", "1.0b1", 1, 2),
            ],
            "1.0b1",
            &["1.0a1"],
            &[],
        ),
        // Equal versions: the older file stays, ties by name; the same bytes are no duplicate.
        (
            &[
                ("b", Extension, "x", "1.1", 1, 1),
                ("a", Extension, "x", "v1.1.0", 1, 2),
                ("c", Extension, "x", "1.1.0", 2, 2),
                ("d", Extension, "x", "1.1.0.0", 3, 4),
            ],
            "v1.1.0",
            &[],
            &["b", "d"],
        ),
        (
            &[
                ("a", Integration, "x", "1.0.0", 1, 1),
                ("b", Integration, "x", "2.0.0", 1, 2),
            ],
            "2.0.0",
            &[],
            &[],
        ),
    ];
    for (rows, current, releases, duplicates) in cases {
        let mut rows = rows.to_vec();
        for _ in 0..2 {
            let packages = packages(&rows);
            let selection = select(&packages);
            let [entry] = &selection.entries[&rows[0].1][..] else {
                panic!("one entry")
            };
            assert_eq!(entry.current.manifest.version.as_str(), *current);
            let versions: Vec<_> = entry
                .releases
                .iter()
                .map(|release| release.manifest.version.as_str())
                .collect();
            assert_eq!(versions, *releases);
            let mut found: Vec<_> = selection.duplicates.iter().copied().collect();
            found.sort_unstable();
            assert_eq!(found, *duplicates);
            rows.reverse();
        }
    }
}

#[test]
fn the_newest_fifty_releases_are_kept() {
    let versions: Vec<String> = (0..60).map(|number| format!("1.{number}")).collect();
    let rows: Vec<Row> = versions
        .iter()
        .zip(0..)
        .map(|(version, number)| {
            let version: &'static str = version.clone().leak();
            // The highest versions are the oldest files.
            (version, Kind::Preset, "x", version, 100 - number, 1)
        })
        .collect();
    let packages = packages(&rows);
    let selection = select(&packages);
    let entry = &selection.entries[&Kind::Preset][0];
    assert_eq!(entry.current.file, "1.59");
    let files: Vec<_> = entry.releases.iter().map(|release| release.file).collect();
    let expected: Vec<_> = (0..50).rev().map(|number| format!("1.{number}")).collect();
    assert_eq!(files, expected);
}

fn read(selection: &Selection<'_>, kind: Option<Kind>) -> Value {
    let document = document(selection, kind);
    assert!(!document.is_over);
    let text = String::from_utf8(document.bytes).expect("text");
    let text = text.replace(MARKS[0], "https://example.org/base");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn documents_have_the_fields_that_clients_read() {
    let packages = packages(&[
        ("b c.zip", Kind::Extension, "x", "1.0.0", 1, 1),
        ("a.zip", Kind::Extension, "x", "0.9", 2, 2),
        ("w.zip", Kind::Workflow, "w", "1.0.0", 3, 3),
        ("s.zip", Kind::Step, "s", "1.0.0", 4, 4),
    ]);
    let selection = select(&packages);
    let all = read(&selection, None);
    assert_eq!(all["schema_version"], "1.0");
    assert_eq!(all["catalog_url"], "https://example.org/base/catalog.json");
    assert_eq!(all["updated_at"], "1970-01-01T00:00:04Z");
    for kind in Kind::ALL {
        assert!(all[kind.plural()].is_object(), "{kind:?}");
    }
    let entry = &all["extensions"]["x"];
    for (key, value) in [
        ("id", "x"),
        ("name", "Acme"),
        ("version", "1.0.0"),
        ("author", "A"),
    ] {
        assert_eq!(entry[key], value);
    }
    assert_eq!(
        entry["download_url"],
        "https://example.org/base/assets/b%20c.zip"
    );
    assert_eq!(entry["sha256"], "01".repeat(32));
    assert_eq!(entry["requires"]["speckit_version"], ">=1.0");
    assert_eq!(entry["provides"]["commands"], 1);
    let release = &entry["releases"]["0.9"];
    assert_eq!(
        release["download_url"],
        "https://example.org/base/assets/a.zip"
    );
    assert_eq!(release.as_object().expect("an object").len(), 2);
    assert_eq!(
        all["workflows"]["w"]["url"],
        "https://example.org/base/assets/w.zip"
    );
    let step = &all["steps"]["s"];
    assert_eq!(
        step["step_yml_url"],
        "https://example.org/base/assets/s.zip/step.yml"
    );
    assert_eq!(
        step["init_url"],
        "https://example.org/base/assets/s.zip/__init__.py"
    );
    assert_eq!(step["sha256"].as_object().expect("an object").len(), 2);
    let presets = read(&selection, Some(Kind::Preset));
    assert_eq!(
        presets["catalog_url"],
        "https://example.org/base/catalogs/presets.json"
    );
    assert!(presets["presets"].is_object() && presets.get("extensions").is_none());
    assert!(presets.get("updated_at").is_none());
}

/// Over what clients read, the oldest releases go; entries stay, even where they alone are too
/// much.
#[test]
fn large_documents_lose_their_oldest_releases() {
    let name: &'static str = "x".repeat(200).leak();
    let files: Vec<&'static str> = (0..6000)
        .map(|number| &*format!("{number}-{name}").leak())
        .collect();
    let template = packages(&[("a", Kind::Preset, "x", "1.0.0", 1, 1)]);
    let manifests: Vec<Manifest> = (0..6000)
        .map(|number| {
            let mut manifest = template[0].manifest.clone();
            manifest.id = format!("id-{}", number / 20);
            let text = format!("1.{number}");
            let version = release_server::manifest::package_version::PackageVersion::parse(&text);
            manifest.version = version.expect("a version");
            manifest
        })
        .collect();
    let sha256 = Sha256::new([1; 32]);
    let candidates = manifests
        .iter()
        .zip(&files)
        .zip(0..)
        .map(|((manifest, file), age)| Candidate {
            file,
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(age),
            sha256,
            kind: Kind::Preset,
            manifest,
        });
    let selection = Selection::new(candidates);
    let all = document(&selection, None);
    assert!(!all.is_over && all.bytes.len() <= 1 << 20 && all.bytes.len() > (1 << 20) - 300_000);
    let read: Value = serde_json::from_slice(&all.bytes).expect("JSON");
    assert_eq!(read["presets"].as_object().expect("an object").len(), 300);
    assert!(read["presets"]["id-0"].get("releases").is_none());
    assert!(
        read["presets"]["id-299"]["releases"]
            .as_object()
            .expect("an object")
            .len()
            == 19
    );
    let presets = document(&selection, Some(Kind::Preset));
    let read: Value = serde_json::from_slice(&presets.bytes).expect("JSON");
    assert!(
        read["presets"]["id-0"]["releases"]
            .as_object()
            .expect("an object")
            .len()
            == 19
    );
}
