//! Archives and manifests that are made to be expensive: publishing one takes hardly more memory
//! than publishing an ordinary one, and the server stays as it was.
//!
//! Source: docs/contract.md, section 1 ("Catalogs").

use super::catalogs::extension;
use crate::archives::{Member, archive};
use crate::support::TestServer;

/// What publishing one may take beyond an ordinary package, in KiB.
const GROWTH_KIB_MAX: u64 = 4 * 1024;

/// A package with a manifest that begins well and goes on like this, up to the bound of a manifest.
fn manifest(rest: &str) -> Vec<u8> {
    let head = "schema_version: '1.0'\nextension: {id: acme, name: Acme, version: 1.0.0, \
                description: d}\nrequires: {speckit_version: '>=1.0'}\n";
    let mut text = format!("{head}{rest}");
    text.truncate(128 * 1024);
    deflated(&[("extension.yml", text.as_bytes())])
}

fn deflated(files: &[(&str, &[u8])]) -> Vec<u8> {
    let members = files.iter().map(|(path, content)| Member {
        method: 8,
        ..Member::new(path, content)
    });
    archive(&members.collect::<Vec<_>>())
}

fn step(files: usize, bytes: usize) -> Vec<u8> {
    let code: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(bytes).collect();
    let names: Vec<_> = (0..files).map(|number| format!("{number}.py")).collect();
    let own: [(&str, &[u8]); 2] = [
        ("step.yml", b"step: {type_key: wait, version: 1.0.0}\n"),
        ("__init__.py", b""),
    ];
    let others = names.iter().map(|name| (&name[..], &code[..]));
    deflated(&own.into_iter().chain(others).collect::<Vec<_>>())
}

fn entries(count: usize, path: impl Fn(usize) -> String) -> Vec<u8> {
    let own = Member::new("extension.yml", b"extension: {}");
    let others = (0..count).map(|number| Member::new(&path(number), b""));
    archive(&[own].into_iter().chain(others).collect::<Vec<_>>())
}

#[test]
fn publishing_a_hostile_archive_takes_little_more_memory_than_an_ordinary_one() {
    let mut server = TestServer::start();
    let keys: Vec<String> = (0..11_000)
        .map(|number| format!("k{number}: v\n"))
        .collect();
    let cases = [
        ("short keys", manifest(&keys.concat())),
        (
            "block scalars",
            manifest(&format!("x:\n{}", "- |\n a\n".repeat(18_000))),
        ),
        (
            "a long text",
            manifest(&format!("x: |\n{}", " b\n".repeat(40_000))),
        ),
        (
            "nested lists",
            manifest(&format!("x: {}", "[".repeat(60_000))),
        ),
        (
            "empty lists",
            manifest(&format!("x: [{}]", "[],".repeat(40_000))),
        ),
        (
            "aliases",
            manifest(&format!("x: &a [1]\ny: [{}]", "*a,".repeat(40_000))),
        ),
        ("line ends", manifest(&"\r".repeat(127 * 1024))),
        (
            "a manifest that is too large",
            manifest(&"#".repeat(128 * 1024)),
        ),
        ("a step of the largest size", step(1, 500_000)),
        ("a step that is too large", step(2, 1_000_000)),
        (
            "the most entries",
            entries(511, |number| format!("{}{number}", "d/".repeat(470))),
        ),
        ("601 entries", entries(600, |number| number.to_string())),
        ("11,000 entries", entries(11_000, |_| String::new())),
        ("end records", b"PK\x05\x06".repeat(20_000)),
    ];
    let publish = |name: &str, content: &[u8]| {
        let answer = server.put(&format!("{}.zip", name.replace(' ', "-")), content);
        assert_eq!(answer.status, 201, "{name}");
    };
    // As large as the largest of them: the first of its size makes the server's buffers.
    let ordinary = [&vec![b'#'; 4 << 20][..], &extension("acme", "1.0.0")].concat();
    publish("warm", &ordinary);
    let usual = server.growth_kib(|| publish("ordinary", &ordinary));
    for (name, content) in &cases {
        let growth = server.growth_kib(|| publish(name, content));
        assert!(
            growth <= usual + GROWTH_KIB_MAX,
            "{name}: {growth} KiB, an ordinary one {usual}"
        );
    }
    server.assert_alive();
}
