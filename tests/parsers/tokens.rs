//! Tokens files: what an entry holds, and the sentence about each fault.
//!
//! Source: docs/tokens.md, "The file".

use release_server::clock::wall_now;
use release_server::date;
use release_server::tokens::Right;
use release_server::tokens::entry::Recognition;
use release_server::tokens::file::TokensFiles;
use release_server::tokens::secret;
use release_server::watch::Source;

const HASH: &str = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";

const NOT_ACCEPTED: &str = "the value is missing or not accepted; it takes";

fn files() -> TokensFiles {
    TokensFiles(vec!["t".into()])
}

fn refusal(text: &str) -> String {
    let checked = files().check(&vec![text.to_owned()], wall_now());
    checked.map(drop).expect_err(text)
}

#[test]
fn an_entry_is_read_as_written() {
    let text = format!(
        "tokens:\n- {{name: a.b_c-1, sha256: {HASH}, may: [delete, publish, overwrite],\n   \
         names: ['x*', y], expires: 2027-01-31T12:00:00Z, comment: why}}\n\
         - {{name: plain, sha256: '{}', may: [publish]}}\n",
        HASH.replace('0', "f")
    );
    let entries = files().check(&vec![text], wall_now()).unwrap();
    let first = &entries[0];
    assert_eq!(first.grant.name, "a.b_c-1");
    assert_eq!(
        first.grant.rights,
        [Right::Delete, Right::Publish, Right::Overwrite]
    );
    let Recognition::Hash(hash) = first.recognition else {
        panic!("{first:?}");
    };
    assert_eq!(hash[..2], [0x01, 0x23]);
    assert_eq!(first.expires, date::parse_rfc3339("2027-01-31T12:00:00Z"));
    for (name, is_covered) in [("x", true), ("xyz", true), ("y", true), ("yz", false)] {
        assert_eq!(first.grant.covers(name), is_covered, "{name}");
    }
    let plain = &entries[1];
    assert!(plain.grant.covers("any") && plain.expires.is_none());
    let all = "delete, publish and overwrite packages whose names match 'x*' or 'y'";
    assert_eq!(first.grant.describe(), all);
    assert_eq!(plain.grant.describe(), "publish packages");
}

#[test]
fn each_fault_has_its_sentence_without_the_value() {
    let entry = |fields: &str| format!("tokens: [{{name: n, sha256: {HASH}, {fields}}}]");
    let rights = format!("may: {NOT_ACCEPTED} a list of publish, overwrite and delete");
    let names = format!("names: {NOT_ACCEPTED} a list of name patterns with * and ?");
    let expires = format!("expires: {NOT_ACCEPTED} a time such as 2027-01-31T12:00:00Z");
    for (fields, why) in [
        ("comment: x", &*rights),
        ("may: []", &rights),
        ("may: publish", &rights),
        ("may: [s3cret]", &rights),
        ("may: [overwrite]", "may: overwrite needs publish beside it"),
        ("may: [delete], names: x", &names),
        ("may: [delete], names: []", &names),
        // All items commented out.
        ("may: [delete], names: null", &names),
        ("may: [delete], expires: null", &expires),
        ("may: [delete], names: ['']", &names),
        ("may: [delete], names: [\"a\\nb\"]", &names),
        ("may: [delete], expires: 90d", &expires),
        ("may: [delete], expires: 2027-01-31", &expires),
        (
            "may: [delete], expires: 2027-01-31T12:00:00+01:00",
            &expires,
        ),
        ("may: [delete], expires: 5", &expires),
    ] {
        assert_eq!(
            refusal(&entry(fields)),
            format!("t: entry 1: 'n': {why}"),
            "{fields}"
        );
    }
}

#[test]
fn each_fault_of_a_file_has_its_sentence_without_the_value() {
    let hash = format!(
        "sha256: {NOT_ACCEPTED} the 64 hexadecimal digits that 'release-server token new' prints, \
         not the token itself"
    );
    for value in ["rs_s3cret", "12", "''", &HASH[1..]] {
        let text = format!("tokens: [{{name: n, sha256: {value}, may: [publish]}}]");
        assert_eq!(refusal(&text), format!("t: entry 1: 'n': {hash}"));
    }
    for text in [
        "",
        "s3cret",
        "[s3cret]",
        "tokens:",
        "tokens: s3cret",
        "tokens: []\nmore: 1",
    ] {
        let why = "t: does not hold one key 'tokens' with a list of entries";
        assert_eq!(refusal(text), why, "{text}");
    }
    let name = format!(
        "t: entry 1: name: {NOT_ACCEPTED} 1 to 64 letters, digits, '.', '_' and '-', other than \
         the word auth_token"
    );
    for value in ["auth_token", "''", "a b", "\u{e4}", "5", &"x".repeat(65)] {
        let text = format!("tokens: [{{name: {value}, sha256: {HASH}, may: [publish]}}]");
        assert_eq!(refusal(&text), name, "{value}");
    }
    let two = |name: &str, hash: &str| {
        let item =
            |name: &str, hash: &str| format!("{{name: {name}, sha256: {hash}, may: [publish]}}");
        refusal(&format!(
            "tokens: [{}, {}]",
            item("n", HASH),
            item(name, hash)
        ))
    };
    let other = HASH.replace('0', "f");
    assert_eq!(two("n", &other), "t: entry 2: there is another entry 'n'");
    assert_eq!(
        two("m", &HASH.to_lowercase()),
        "t: entry 2: 'n' has the same token"
    );
    assert_eq!(
        refusal("tokens: [s3cret]"),
        "t: entry 1: it is not a mapping of keys to values"
    );
}

#[test]
fn a_token_is_recognised_by_its_form_and_its_checksum() {
    let mut seen = [0u32; 62];
    for _ in 0..200 {
        let token = secret::generate().unwrap();
        assert_eq!(token.len(), 39);
        assert!(!secret::is_mistyped(token.as_bytes()));
        for at in 3..39 {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            assert!(
                secret::is_mistyped(&other),
                "{token} with another character at {at}"
            );
        }
        for character in token[3..33].bytes() {
            let alphabet = (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z');
            seen[alphabet
                .clone()
                .position(|known| known == character)
                .unwrap()] += 1;
        }
    }
    // 6,000 characters, 97 of each on average: 30 would be 7 standard deviations off.
    assert!(seen.iter().all(|count| *count > 30), "{seen:?}");
    for other in ["", "rs", "another", "RS_abc"] {
        assert!(!secret::is_mistyped(other.as_bytes()), "{other}");
    }
}
