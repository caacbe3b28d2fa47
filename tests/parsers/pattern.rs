//! Patterns of file names: a table, and random ones.
//!
//! Source: POSIX.1-2024, Shell Command Language, section 2.14, without brackets.

use crate::Random;
use crate::properties::pattern::check;
use release_server::pattern::Pattern;

/// A pattern, a name, and whether the pattern matches.
pub const TABLE: &[(&str, &str, bool)] = &[
    ("", "", true),
    ("", "a", false),
    ("a", "a", true),
    ("a", "A", false),
    ("a", "ab", false),
    ("ab", "a", false),
    ("*", "", true),
    ("*", "anything at all", true),
    ("**", "a", true),
    ("?", "", false),
    ("?", "a", true),
    ("?", "\u{e4}", true),
    ("?", "\u{1f680}", true),
    ("??", "\u{e4}", false),
    ("*?", "a", true),
    ("?*?", "a", false),
    ("*.zip", ".zip", true),
    ("*.zip", "a.zip", true),
    ("*.zip", "a.zip.sig", false),
    (
        "spec-kit-template-claude-sh-*.zip",
        "spec-kit-template-claude-sh-v2.17.1.zip",
        true,
    ),
    (
        "spec-kit-template-claude-sh-*.zip",
        "spec-kit-template-claude-ps-v2.17.1.zip",
        false,
    ),
    ("*-v1.*", "tool-v1.2.3.zip", true),
    ("*-v1.*", "tool-v11.2.3.zip", false),
    ("*a*a*b", "aaaaab", true),
    ("*ab", "aab", true),
    ("a*b*c", "abcbc", true),
    ("a*b*c", "acb", false),
    // Brackets and backslashes have no special meaning.
    ("[ab]", "a", false),
    ("[ab]", "[ab]", true),
    ("\\*", "*", false),
    ("a.c", "abc", false),
];

#[test]
fn patterns_match_as_listed() {
    for (pattern, name, expected) in TABLE {
        assert_eq!(
            Pattern::new(pattern).matches(name),
            *expected,
            "{pattern} {name}"
        );
    }
}

#[test]
fn random_patterns_keep_the_properties() {
    let mut random = Random::new(21);
    let mut matched = 0;
    for _ in 0..20_000 {
        let pattern = random.text(&["*", "?", "a", "b", "\u{e4}"], 7);
        let name = random.text(&["a", "b", "\u{e4}"], 7);
        check(format!("{pattern}\n{name}").as_bytes());
        matched += usize::from(Pattern::new(&pattern).matches(&name));
    }
    assert!(matched > 1_000, "only {matched} matched");
}

/// Backtracking over every `*` would take longer than a lifetime here.
#[test]
fn no_pattern_takes_long() {
    let name = "a".repeat(240);
    for piece in ["*a", "*?", "*", "a*"] {
        let pattern = format!("{}b", piece.repeat(8_000));
        assert!(!Pattern::new(&pattern).matches(&name));
    }
}
