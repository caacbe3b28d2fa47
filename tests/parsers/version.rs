//! Versions in file names: the results for real-world names, and the order of versions.
//!
//! Sources: Semantic Versioning 2.0.0, items 9 to 11; names as goreleaser, cargo-dist, Python,
//! Helm, Debian, RPM and spec-kit's own release scripts write them.

use crate::Random;
use release_server::version::Version;
use std::cmp::Ordering;

/// A name, its version or nothing, and whether that is a pre-release.
pub const NAMES: &[(&str, &str, bool)] = &[
    // spec-kit
    ("spec-kit-template-claude-sh-v2.17.1.zip", "v2.17.1", false),
    ("spec-kit-template-copilot-ps-v0.0.90.zip", "v0.0.90", false),
    (
        "spec-kit-template-q-sh-v1.2.3-rc.1+build.zip",
        "v1.2.3-rc.1+build",
        true,
    ),
    // goreleaser
    ("tool_1.2.3_linux_amd64.tar.gz", "1.2.3", false),
    ("tool_1.2.3-rc.2_darwin_arm64.tar.gz", "1.2.3-rc.2", true),
    (
        "tool_1.2.3-SNAPSHOT-5114f85_linux_386.zip",
        "1.2.3-SNAPSHOT",
        true,
    ),
    ("tool_1.2.3_checksums.txt", "1.2.3", false),
    ("tool-v0.10.0-x86_64.AppImage", "v0.10.0", false),
    ("checksums.txt", "", false),
    // cargo-dist, and others by target triple
    ("tool-x86_64-unknown-linux-gnu.tar.xz", "", false),
    (
        "ripgrep-14.1.1-x86_64-unknown-linux-musl.tar.gz",
        "14.1.1",
        false,
    ),
    (
        "tool-v1.2.3-beta-x86_64-pc-windows-msvc.zip",
        "v1.2.3-beta",
        true,
    ),
    ("tool-installer.sh", "", false),
    ("tool-1.2.3-darwin-arm64.zip", "1.2.3", false),
    // Python
    (
        "numpy-1.26.4-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "1.26.4",
        false,
    ),
    ("tool-1.2.3rc1-py3-none-any.whl", "1.2.3rc1", true),
    ("tool-1.2.3a4.tar.gz", "1.2.3a4", true),
    ("tool-1.2.3.dev4-py3-none-any.whl", "1.2.3.dev4", true),
    ("tool-1.2.3.post1.tar.gz", "1.2.3", false),
    ("tool-1.2-py3-none-any.whl", "", false),
    // Helm
    ("release-server-0.1.0.tgz", "0.1.0", false),
    ("release-server-0.1.0-alpha.12.tgz", "0.1.0-alpha.12", true),
    // Debian and RPM: a package's revision is not a pre-release
    ("tool_1.2.3-1_amd64.deb", "1.2.3", false),
    ("tool_1.2.3~rc1-1_amd64.deb", "1.2.3~rc1", true),
    ("tool-1.2.3-1.el9.x86_64.rpm", "1.2.3", false),
    // Others
    ("go1.21.3.linux-amd64.tar.gz", "1.21.3", false),
    ("libfoo.so.1.2.3", "1.2.3", false),
    ("chrome-120.0.6099.109-linux64.zip", "120.0.6099.109", false),
    ("firefox-115.4.0esr.tar.bz2", "115.4.0", false),
    ("tool-v1.2.3-14-g2414721.zip", "v1.2.3", false),
    (
        "tool-1.2.3-nightly.20240102.zip",
        "1.2.3-nightly.20240102",
        true,
    ),
    ("tool-1.0.0-alpha.beta.zip", "1.0.0-alpha.beta", true),
    ("tool-V1.2.3.zip", "V1.2.3", false),
    ("v1.2.3", "v1.2.3", false),
    ("1.2.3", "1.2.3", false),
    ("dev1.2.3.zip", "1.2.3", false),
    // Builds
    ("tool-1.2.3+5.tar.gz", "1.2.3+5", false),
    (
        "tool-1.2.3+exp.sha.5114f85.zip",
        "1.2.3+exp.sha.5114f85",
        false,
    ),
    ("tool-1.2.3+20240102.7z", "1.2.3+20240102", false),
    ("tool-1.2.3+build.5-linux.zip", "1.2.3+build.5", false),
    ("v1.2.3-rc.1+build", "v1.2.3-rc.1+build", true),
    ("tool-1.2.3+.zip", "1.2.3", false),
    ("tool-1.2.3+", "1.2.3", false),
    // Dates: with dots they are versions, and are ordered as such
    ("nightly-2024-01-02.zip", "", false),
    ("nightly-20240102.zip", "", false),
    ("yt-dlp-2024.01.02.tar.gz", "2024.01.02", false),
    // A letter alone does not make a pre-release; a letter with a number, and a word, do
    ("tool-1.2.3-a.zip", "1.2.3", false),
    ("tool-1.2.3-b-linux.zip", "1.2.3", false),
    ("tool-1.2.3-a1.zip", "1.2.3-a1", true),
    ("tool-1.2.3-rc.a.zip", "1.2.3-rc", true),
    ("tool-1.2.3-rc.b2.zip", "1.2.3-rc.b2", true),
    ("tool-1.2.3-12.zip", "1.2.3", false),
    ("tool-1.2.3-RC.zip", "1.2.3-RC", true),
    ("tool-1.2.3-rcx.zip", "1.2.3", false),
    // Two versions: the last one
    ("tool-1.2.3-node-18.19.0.zip", "18.19.0", false),
    ("tool-v1.2.3-ubuntu-22.04.zip", "v1.2.3", false),
    ("1.2.3-4.5.6", "4.5.6", false),
    // None
    ("", "", false),
    ("v2.zip", "", false),
    ("v1.2.zip", "", false),
    ("README.md", "", false),
    ("latest.zip", "", false),
    ("1..2.3", "", false),
    ("tool-1.2.99999999999999999999.zip", "", false),
    ("\u{e4}-v1.2.3-\u{fc}.zip", "v1.2.3", false),
    ("tool-\u{661}.\u{662}.\u{663}.zip", "", false),
];

#[test]
fn names_hold_the_versions_that_people_see_in_them() {
    for (name, expected, is_pre_release) in NAMES {
        let version = Version::of(name);
        let text = version.as_ref().map_or("", Version::as_str);
        assert_eq!(text, *expected, "{name}");
        let found = version.is_some_and(|version| version.is_pre_release());
        assert_eq!(found, *is_pre_release, "{name}");
    }
}

#[test]
fn a_version_is_its_own() {
    for (name, expected, _) in NAMES.iter().filter(|(_, expected, _)| !expected.is_empty()) {
        let version = Version::of(expected).unwrap();
        assert_eq!(version.as_str(), *expected, "{name}");
        assert_eq!(version, Version::of(name).unwrap(), "{name}");
    }
}

/// From the lowest to the highest; the first eight are the example of Semantic Versioning, item 11.
pub const ASCENDING: &[&str] = &[
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.0.1",
    "1.2.0",
    "1.9.9",
    "1.10.0-rc.1",
    "1.10.0",
    "v2.0.0",
    "2.0.1",
    "18446744073709551615.0.0",
];

#[test]
fn precedence_is_that_of_semantic_versioning() {
    for (at, left) in ASCENDING.iter().enumerate() {
        for (other, right) in ASCENDING.iter().enumerate() {
            let (left, right) = (Version::of(left).unwrap(), Version::of(right).unwrap());
            assert_eq!(left.cmp(&right), at.cmp(&other), "{left:?} {right:?}");
            assert_eq!(left.partial_cmp(&right), Some(at.cmp(&other)));
            assert_eq!(left == right, at == other, "{left:?} {right:?}");
        }
    }
}

#[test]
fn a_v_does_not_make_another_version_and_a_build_does() {
    let cmp = |left: &'static str, right: &'static str| {
        Version::of(left).unwrap().cmp(&Version::of(right).unwrap())
    };
    assert_eq!(cmp("v1.2.3", "1.2.3"), Ordering::Equal);
    assert_ne!(cmp("1.2.3+1", "1.2.3+2"), Ordering::Equal);
    assert_eq!(cmp("1.2.3+2", "1.2.4"), Ordering::Less);
}

#[test]
fn any_text_is_read_and_a_found_version_is_in_it() {
    let mut random = Random::new(22);
    let pieces = [
        "1.2.3",
        "v",
        "V",
        "1",
        "0",
        "23",
        ".",
        ".",
        "-",
        "+",
        "_",
        "~",
        "rc",
        "a",
        "beta",
        ".zip",
        "7z",
        "\u{e4}",
        "99999999999999999999",
    ];
    let mut found = 0;
    for _ in 0..30_000 {
        let name = random.text(&pieces, 14);
        let Some(version) = Version::of(&name) else {
            continue;
        };
        found += 1;
        assert!(name.contains(version.as_str()), "{name}");
        let again = Version::of(version.as_str()).expect("a version in itself");
        assert_eq!(again.as_str(), version.as_str(), "{name}");
        assert_eq!(again.cmp(&version), Ordering::Equal, "{name}");
    }
    assert!(found > 5_000, "only {found} had one");
}

/// Versions of random names: comparing is total, antisymmetric and transitive, and equal versions
/// are those that compare as equal.
#[test]
fn versions_have_a_total_order() {
    let mut random = Random::new(7);
    let pieces = [
        "1", "2", "10", ".", "-", "+", "v", "rc", "a", "b1", "beta", "0",
    ];
    let names: Vec<String> = (0..4000)
        .map(|_| format!("1.{}.0{}", random.below(3), random.text(&pieces, 4)))
        .collect();
    let versions: Vec<Version<'_>> = names.iter().filter_map(|name| Version::of(name)).collect();
    assert!(versions.len() > 2000);
    for triple in versions.windows(3) {
        let [a, b, c] = triple else { continue };
        assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a:?} {b:?}");
        assert_eq!(a == b, a.cmp(b).is_eq(), "{a:?} {b:?}");
        assert_eq!(a == b, a.without_v() == b.without_v(), "{a:?} {b:?}");
        if a <= b && b <= c {
            assert!(a <= c, "{a:?} {b:?} {c:?}");
        }
    }
}

/// A single letter begins a pre-release only with a number after it.
#[test]
fn a_single_letter_is_a_pre_release_only_with_a_number() {
    for (name, is_pre_release) in [
        ("1.0.0-a", false),
        ("1.0.0-a1", true),
        ("1.0.0-B2", true),
        ("1.0.0b", false),
        ("1.0.0-rc", true),
        ("1.0.0-rcx", false),
        ("1.0.0-1", false),
    ] {
        let version = Version::of(name).unwrap();
        assert_eq!(version.is_pre_release(), is_pre_release, "{name}");
    }
}
