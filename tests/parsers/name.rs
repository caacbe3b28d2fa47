//! Names of packages: the names that may become file names, and those that never may.
//!
//! Source: docs/contract.md, section 1, "Filenames": 1 to 240 bytes, no `/`, `\`, NUL or control
//! characters, not starting with `.`, not ending in `.sha256`.

use crate::{Random, properties};
use release_server::storage::PackageName;
use release_server::storage::name::NameError;

/// Names to take.
pub const VALID: &[&str] = &[
    "a",
    "0",
    "-",
    "_",
    "~",
    " ",
    "a.zip",
    "spec-kit-template-claude-sh-v2.17.1.zip",
    "a b.zip",
    "a..b",
    "a.",
    "a..",
    "-rf",
    "CON",
    "sha256",
    "a.sha256.zip",
    "a.sha256x",
    "a.SHA256",
    "asha256",
    "100%.zip",
    "a%2Fb",
    "a:b",
    "a*b?",
    "\"'`;|&$<>",
    "ä.zip",
    "日本語.zip",
    "🦀",
    "\u{a0}",
    "\u{2044}",
    "\u{ff0f}",
    "\u{feff}a",
];

/// Refused names, one reason each.
pub const REFUSED: &[(&str, NameError)] = &[
    ("", NameError::Empty),
    (".", NameError::Hidden),
    ("..", NameError::Hidden),
    ("...", NameError::Hidden),
    (".a", NameError::Hidden),
    (".a.zip", NameError::Hidden),
    ("a.sha256", NameError::Reserved),
    ("a.zip.sha256", NameError::Reserved),
    ("a.sha256.sha256", NameError::Reserved),
    ("/", NameError::Character('/')),
    ("a/b", NameError::Character('/')),
    ("/etc/passwd", NameError::Character('/')),
    ("a/", NameError::Character('/')),
    ("\\", NameError::Character('\\')),
    ("C:\\a.zip", NameError::Character('\\')),
    ("a\0b", NameError::Character('\0')),
    ("a\n", NameError::Character('\n')),
    ("\ra", NameError::Character('\r')),
    ("a\tb", NameError::Character('\t')),
    ("a\x1b[31m", NameError::Character('\x1b')),
    ("a\x7f", NameError::Character('\x7f')),
    ("a\u{80}", NameError::Character('\u{80}')),
    ("a\u{85}b", NameError::Character('\u{85}')),
    ("a\u{9f}", NameError::Character('\u{9f}')),
];

/// Names that break several rules: refused, for any of the reasons.
pub const REFUSED_TWICE: &[&str] = &[
    "../a",
    "./a",
    ".sha256",
    "..\\a",
    "a/../../b",
    ".\0",
    "/.sha256",
];

#[test]
fn valid_names_are_kept_as_they_are() {
    for text in VALID {
        let name = PackageName::parse(text).unwrap_or_else(|why| panic!("{text:?}: {why}"));
        assert_eq!(name.as_str(), *text);
        assert_eq!(name.to_string(), *text);
        assert_eq!(name.sidecar(), format!("{text}.sha256"));
    }
}

#[test]
fn refused_names_are_refused_for_their_reason() {
    for (text, why) in REFUSED {
        assert_eq!(PackageName::parse(text), Err(*why), "{text:?}");
    }
    for text in REFUSED_TWICE {
        assert!(PackageName::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_name_has_at_most_240_bytes() {
    for (character, most) in [("a", 240), ("ä", 120), ("日", 80), ("🦀", 60)] {
        let longest = character.repeat(most);
        assert!(PackageName::parse(&longest).is_ok(), "{longest}");
        let longer = character.repeat(most + 1);
        assert_eq!(
            PackageName::parse(&longer),
            Err(NameError::TooLong),
            "{longer}"
        );
        let longer = format!("{longest}a");
        assert_eq!(
            PackageName::parse(&longer),
            Err(NameError::TooLong),
            "{longer}"
        );
    }
}

/// A sentence that quotes a control character would break the log line or the terminal that shows
/// it.
#[test]
fn reasons_are_one_printable_line() {
    let others = [(".a", NameError::Hidden), ("a", NameError::TooLong)];
    for (text, why) in REFUSED.iter().chain(&others) {
        let sentence = why.to_string();
        assert!(!sentence.is_empty(), "{text:?}");
        assert!(!sentence.chars().any(char::is_control), "{text:?}");
    }
}

#[test]
fn whatever_passes_stays_in_its_directory() {
    let mut random = Random::new(9);
    let pieces = [
        ".", "..", "/", "\\", "a", ".sha256", "\0", "\n", " ", "ä", "-", "\u{85}", "%2F", "sha256",
        ":", "~",
    ];
    let mut taken = 0;
    for _ in 0..20_000 {
        let text = random.text(&pieces, 6);
        properties::name::check(text.as_bytes());
        taken += usize::from(PackageName::parse(&text).is_ok());
    }
    assert!(taken > 2_000, "only {taken} were taken");
}
