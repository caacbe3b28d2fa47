//! Archives: which of them are packages, and which of those spec-kit would refuse to extract.
//!
//! Sources: APPNOTE 6.3.10; what `specify` 1.2.3 accepts and refuses.

use crate::archives::{Member, archive, of_texts};
use crate::manifest_tables::good;
use release_server::manifest::kind::Kind::{
    self, Bundle, Extension, Integration, Preset, Step, Workflow,
};
use release_server::manifest::outcome::{Reason, Recognised};
use release_server::manifest::read::read;

fn read_bytes(bytes: &[u8]) -> Option<Recognised> {
    read("a.zip", bytes).expect("bytes in memory")
}

/// Paths, and the kind of package that they make.
pub const LAYOUTS: &[(&[&str], Option<Kind>)] = &[
    (&["extension.yml"], Some(Extension)),
    (&["x/extension.yml", "x/commands/a.md"], Some(Extension)),
    (&["x/", "x/extension.yml"], Some(Extension)),
    (&["x\\extension.yml"], Some(Extension)),
    (&["preset.yml", "x/extension.yml"], Some(Preset)),
    (&["x/workflow.yml"], Some(Workflow)),
    (&["bundle.yml"], Some(Bundle)),
    (&["step.yml", "__init__.py"], Some(Step)),
    (&["x/integration.yml", "x/__init__.py"], Some(Integration)),
    (&[], None),
    (&["README.md"], None),
    (&["x/bundle.yml"], None),
    (&["step.yml"], None),
    (&["step.yml", "x/__init__.py"], None),
    (&["integration.yml"], None),
    (&["extension.yml", "preset.yml"], None),
    (&["x/extension.yml", "x/workflow.yml"], None),
    (&["x/extension.yml", "README.md"], None),
    (&["x/extension.yml", "__MACOSX/x/._extension.yml"], None),
    (&["x/y/extension.yml"], None),
    (&["EXTENSION.yml"], None),
    (&["extension.yaml"], None),
];

fn laid_out(paths: &[&str]) -> Vec<u8> {
    let text = |path: &str| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let kind = Kind::ALL.into_iter().find(|kind| kind.manifest() == name);
        kind.map_or("", good)
    };
    of_texts(
        &paths
            .iter()
            .map(|path| (*path, text(path)))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn the_only_manifest_decides_the_kind() {
    for (paths, kind) in LAYOUTS {
        let package = read_bytes(&laid_out(paths));
        assert_eq!(
            package.as_ref().map(|package| package.kind),
            *kind,
            "{paths:?}"
        );
        assert!(
            package.is_none_or(|package| package.listing.is_ok()),
            "{paths:?}"
        );
    }
}

#[test]
fn names_of_compressed_tars_do_not_fit() {
    let bytes = laid_out(&["extension.yml"]);
    for (name, fits) in [
        ("a", true),
        ("a.tar.gz.zip", true),
        ("a.tar.gz", false),
        ("a.TGZ", false),
    ] {
        assert_eq!(
            read(name, &bytes[..]).expect("bytes").is_some(),
            fits,
            "{name}"
        );
    }
}

fn manifest() -> Member {
    Member::new("extension.yml", good(Extension).as_bytes())
}

fn with(change: impl Fn(&mut Member)) -> Vec<Member> {
    let mut member = manifest();
    change(&mut member);
    vec![member]
}

fn beside(path: &str) -> Vec<Member> {
    vec![manifest(), Member::new(path, b"x")]
}

#[test]
fn deflated_members_and_their_ways_of_writing_are_read() {
    let deflated = archive(&with(|member| member.method = 8));
    assert!(read_bytes(&deflated).expect("a package").listing.is_ok());
    let prefixed = [b"#!/bin/sh\n", &deflated[..]].concat();
    assert!(read_bytes(&prefixed).expect("a package").listing.is_ok());
    let mut commented = deflated.clone();
    let length = commented.len();
    commented[length - 2] = 7;
    commented.extend(b"comment");
    assert!(read_bytes(&commented).expect("a package").listing.is_ok());
    let deep = archive(&beside(&format!("{}x", "d/".repeat(32))));
    assert!(read_bytes(&deep).expect("a package").listing.is_ok());
    let extra = archive(&with(|member| {
        member.extra = b"UT\x05\0\0\0\0\0\0".to_vec();
    }));
    assert!(read_bytes(&extra).expect("a package").listing.is_ok());
}

/// An archive that is refused, with a part of the sentence.
type Case = (Vec<Member>, Reason, &'static str);

/// Paths that are refused beside a manifest.
const PATHS: &[&str] = &[
    "../x",
    "/x",
    "a/../x",
    "a//x",
    "./x",
    "C:/x",
    "c:x",
    "x\0y",
    "x\u{1}",
    "x\u{85}",
    "a?",
    "<a>",
    "x.",
    "x ",
    " x",
    "aux",
    "AUX.md",
    "a/nul.txt",
    "com1",
    "lpt².x",
    "conin$",
    "..\\x",
    "a:b",
];

fn refused() -> Vec<Case> {
    let unsafe_path = |path: &&str| (beside(path), Reason::Zip, "unsafe or not portable");
    let mut cases: Vec<Case> = PATHS.iter().map(unsafe_path).collect();
    cases.extend(refused_members());
    cases.extend(refused_together());
    cases
}

/// A manifest whose headers are refused.
fn refused_members() -> Vec<Case> {
    let zip = |part, members| (members, Reason::Zip, part);
    vec![
        zip("ZIP64", with(|member| member.version = 45)),
        zip("ZIP64", with(|member| member.extra = vec![1, 0, 0, 0])),
        zip("ZIP64", with(|member| member.size = Some(u32::MAX))),
        zip(
            "extra field",
            with(|member| member.extra = vec![9, 0, 9, 0]),
        ),
        zip("encrypted", with(|member| member.flags |= 1)),
        zip("deflated", with(|member| member.method = 14)),
        zip(
            "symbolic link",
            with(|member| member.attributes = 0o120_777 << 16),
        ),
        zip("two different sizes", with(|member| member.size = Some(5))),
        zip("damaged", with(|member| member.crc32 = Some(5))),
        zip(
            "damaged",
            with(|member| (member.method, member.size) = (8, Some(5))),
        ),
        zip(
            "damaged",
            with(|member| (member.method, member.size) = (8, Some(100_000))),
        ),
        (
            with(|member| member.content = vec![b'#'; (128 << 10) + 1]),
            Reason::Manifest,
            "128 KiB",
        ),
    ]
}

/// Members that are refused together.
fn refused_together() -> Vec<Case> {
    let and = |others: Vec<Member>| {
        std::iter::once(manifest())
            .chain(others)
            .collect::<Vec<_>>()
    };
    let collides = |others: [&str; 2]| {
        let others = others.iter().map(|path| Member::new(path, b""));
        (and(others.collect()), Reason::Zip, "collide")
    };
    let sized = |path: &str, size| Member {
        size: Some(size),
        method: 8,
        ..Member::new(path, b"x")
    };
    let many = (1..513)
        .map(|number| Member::new(&format!("x/{number}"), b""))
        .collect();
    let long = (1..500)
        .map(|number| Member::new(&format!("{}/{number}", "x".repeat(250)), b""))
        .collect();
    // "É" and "é" in code page 437.
    let in_code_page = [0x90, 0x82].map(|byte| Member {
        path: vec![byte],
        ..Member::new("", b"")
    });
    let six = ["1", "2", "3", "4", "5", "6"].map(|path| sized(path, 10 << 20));
    vec![
        collides(["a", "a"]),
        collides(["a", "A"]),
        collides(["a", "a/x"]),
        collides(["a/b/", "A/B"]),
        collides(["É", "é"]),
        collides(["ß", "SS"]),
        (and(in_code_page.to_vec()), Reason::Zip, "collide"),
        (
            and(vec![sized("x", (10 << 20) + 1)]),
            Reason::TooLarge,
            "10 MiB",
        ),
        (and(many), Reason::TooLarge, "512 entries"),
        (and(long), Reason::TooLarge, "directory is over 128 KiB"),
        (beside(&"d/".repeat(34)), Reason::Zip, "over 32 deep"),
        (
            beside(&format!("{}x", "d/".repeat(33))),
            Reason::Zip,
            "over 32 deep",
        ),
        (and(six.to_vec()), Reason::TooLarge, "50 MiB together"),
    ]
}

/// Archives of every layout, and those that are refused; without the largest.
pub fn seeds() -> Vec<Vec<u8>> {
    let refused = refused().into_iter().map(|(members, ..)| archive(&members));
    let refused = refused.filter(|archive| archive.len() < 8192);
    LAYOUTS
        .iter()
        .map(|(paths, _)| laid_out(paths))
        .chain(refused)
        .collect()
}

#[test]
fn archives_that_spec_kit_refuses_are_unlisted() {
    for (members, reason, part) in refused() {
        let package = read_bytes(&archive(&members)).expect("a package");
        let shown: Vec<_> = members
            .iter()
            .map(|member| member.path.escape_ascii().to_string())
            .collect();
        let unlisted = package.listing.expect_err(&format!("{shown:?}"));
        assert_eq!(unlisted.reason, reason, "{shown:?}: {}", unlisted.message);
        assert!(
            unlisted.message.contains(part),
            "{shown:?}: {}",
            unlisted.message
        );
    }
}

#[test]
fn ends_that_spec_kit_refuses_are_unlisted() {
    let good = archive(&[manifest()]);
    let end = good.len() - 22;
    let changed = |at: usize, bytes: &[u8]| {
        let mut archive = good.clone();
        archive[end + at..end + at + bytes.len()].copy_from_slice(bytes);
        archive
    };
    for (bytes, part) in [
        ([&good[..], b"\0"].concat(), "follow the end"),
        (changed(20, &[1]), "follow the end"),
        (changed(4, &[1]), "several disks"),
        (changed(8, &[2]), "several disks"),
        (changed(8, &[2, 0, 2]), "other entries"),
        (changed(8, &[255, 255, 255, 255]), "ZIP64"),
    ] {
        let unlisted = read_bytes(&bytes)
            .expect("a package")
            .listing
            .expect_err(part);
        assert_eq!(unlisted.reason, Reason::Zip);
        assert!(
            unlisted.message.contains(part),
            "{part}: {}",
            unlisted.message
        );
    }
    // Without a directory there is nothing to recognise.
    for bytes in [
        &good[..good.len() - 1],
        &good[..100],
        b"",
        b"PK\x05\x06",
        &changed(16, &[255; 4]),
    ] {
        assert_eq!(read_bytes(bytes), None);
    }
}
