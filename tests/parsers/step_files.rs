//! Step packages: their files, which clients fetch one by one, and their bounds.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use crate::archives::{Member, archive, of_texts};
use crate::manifest_tables::good;
use release_server::manifest::kind::Kind::{Extension, Step};
use release_server::manifest::outcome::{Reason, Recognised};
use release_server::manifest::read::{read, step_file};

fn read_bytes(bytes: &[u8]) -> Option<Recognised> {
    read("a.zip", bytes).expect("bytes in memory")
}

#[test]
fn files_of_a_step_are_handed_out() {
    let long = "x".repeat(70_000);
    let files = [
        ("x/step.yml", good(Step)),
        ("x/__init__.py", ""),
        ("x/a/b.py", &long[..]),
    ];
    let archive = of_texts(&files);
    let listed = read_bytes(&archive)
        .expect("a package")
        .listing
        .expect("listed");
    let sizes: Vec<_> = listed
        .files
        .iter()
        .map(|file| (&file.path[..], file.size))
        .collect();
    assert_eq!(
        sizes,
        [
            ("__init__.py", 0),
            ("a/b.py", 70_000),
            ("step.yml", u32::try_from(good(Step).len()).expect("short"))
        ]
    );
    let content = |path| step_file(&archive[..], path).expect("bytes in memory");
    assert_eq!(content("a/b.py").as_deref(), Some(long.as_bytes()));
    assert_eq!(content("__init__.py").as_deref(), Some(&b""[..]));
    for path in ["", "a", "a/", "x/step.yml", "../x/step.yml", "STEP.yml"] {
        assert_eq!(content(path), None, "{path}");
    }
    let extension = of_texts(&[("extension.yml", good(Extension))]);
    assert_eq!(
        step_file(&extension[..], "extension.yml").expect("bytes"),
        None
    );
}

#[test]
fn steps_have_bounds_of_their_own() {
    let step = Member::new("step.yml", good(Step).as_bytes());
    let code = Member::new("__init__.py", b"");
    let files = |count: usize, bytes: usize| {
        let others = (0..count).map(|number| Member {
            method: 8,
            ..Member::new(&format!("{number}"), &vec![b'x'; bytes])
        });
        archive(
            &[step.clone(), code.clone()]
                .into_iter()
                .chain(others)
                .collect::<Vec<_>>(),
        )
    };
    for (count, bytes, fits) in [
        (62, 1, true),
        (63, 1, false),
        (1, (1 << 19) - 1000, true),
        (1, 1 << 19, false),
        (2, 1 << 18, false),
    ] {
        let listing = read_bytes(&files(count, bytes)).expect("a package").listing;
        let reason = listing.err().map(|unlisted| unlisted.reason);
        assert_eq!(
            reason,
            (!fits).then_some(Reason::TooLarge),
            "{count} of {bytes}"
        );
    }
}
