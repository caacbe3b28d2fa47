//! Versions in file names: finding the version in a name, and comparing two versions.
//!
//! A version has the form of semantic versioning as file names write it: three or more numbers
//! separated by dots, with or without a leading `v`; directly after them an optional pre-release
//! (`-rc.1`, `rc1`, `.dev4`); then an optional `+` and build. Of several versions in a name the
//! last one with a `v` counts, or else the last one. A suffix such as `-linux` or `-1` is not a
//! pre-release: a pre-release begins with a word of [`PRE_RELEASE_WORDS`]. Four numbers without a
//! `v` that are a private, loopback or link-local IPv4 address are not a version; other addresses
//! cannot be distinguished from versions of four numbers.
//!
//! Invariants: a name is parsed in time proportional to its length; precedence is that of semantic
//! versioning wherever that defines one.
//!
//! Sources: Semantic Versioning 2.0.0, items 9 to 11; PEP 440, "Pre-releases", for the forms in
//! wheels.

use std::cmp::Ordering;

/// The words that begin a pre-release. A single letter counts only with a number after it.
const PRE_RELEASE_WORDS: [&str; 12] = [
    "a", "alpha", "b", "beta", "canary", "dev", "next", "nightly", "pre", "preview", "rc",
    "snapshot",
];

/// A version as a name writes it. Versions that differ only in their `v` are equal.
#[derive(Clone, Debug)]
pub struct Version<'n> {
    text: &'n str,
    precedence: Precedence<'n>,
}

/// The fields that decide precedence, in this order. Builds do not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Precedence<'n> {
    numbers: Vec<u64>,
    is_final: bool,
    pre_release: Vec<Identifier<'n>>,
}

/// A part of a pre-release; numbers precede words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'n> {
    Number(u64),
    Word(&'n str),
}

impl<'n> Version<'n> {
    /// The version in a file's name.
    pub fn of(name: &'n str) -> Option<Self> {
        let mut found: Option<Self> = None;
        let mut rest = name;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let start = name.len() - rest.len() + start;
            let (numbers, after) = numbers(&name[start..]);
            rest = after;
            let Some(numbers) = numbers.filter(|numbers| numbers.len() >= 3) else {
                continue;
            };
            let (pre_release, after) = pre_release(after);
            rest = after_build(after);
            let has_v = ends_in_v(&name[..start]);
            let is_less = found.as_ref().is_some_and(Self::has_v) && !has_v;
            if is_less || (!has_v && is_address(&numbers)) {
                continue;
            }
            let start = start - usize::from(has_v);
            found = Some(Self {
                text: &name[start..name.len() - rest.len()],
                precedence: Precedence {
                    numbers,
                    is_final: pre_release.is_empty(),
                    pre_release,
                },
            });
        }
        found
    }

    fn has_v(&self) -> bool {
        self.text.starts_with(['v', 'V'])
    }

    /// The version as the name writes it.
    pub fn as_str(&self) -> &'n str {
        self.text
    }

    /// The version without its `v`: unique to it.
    pub fn without_v(&self) -> &'n str {
        without_v(self.text)
    }

    /// Whether it has a pre-release part.
    pub fn is_pre_release(&self) -> bool {
        !self.precedence.is_final
    }
}

impl Ord for Version<'_> {
    /// By precedence; versions of the same precedence by their text.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_text = || self.without_v().cmp(other.without_v());
        self.precedence.cmp(&other.precedence).then_with(by_text)
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version<'_> {}

/// A tag or a version without its leading `v`.
pub fn without_v(tag: &str) -> &str {
    tag.strip_prefix(['v', 'V']).unwrap_or(tag)
}

/// The numbers at the start of a text, separated by dots, and the rest of the text; `None` if one
/// is too large to compare.
fn numbers(text: &str) -> (Option<Vec<u64>>, &str) {
    let mut numbers = Some(Vec::new());
    let mut rest = text;
    loop {
        let (digits, after) = split_while(rest, |byte| byte.is_ascii_digit());
        if let (Some(found), Ok(number)) = (&mut numbers, digits.parse()) {
            found.push(number);
        } else {
            numbers = None;
        }
        match after.as_bytes() {
            [b'.', digit, ..] if digit.is_ascii_digit() => rest = &after[1..],
            _ => return (numbers, after),
        }
    }
}

/// The parts of the pre-release at the start of a text, and the rest of the text.
fn pre_release(text: &str) -> (Vec<Identifier<'_>>, &str) {
    let mut parts = Vec::new();
    let first = text.strip_prefix(['-', '.', '_', '~']).unwrap_or(text);
    let (word, mut rest) = split_while(first, |byte| byte.is_ascii_alphanumeric());
    if !is_pre_release_word(word) {
        return (parts, text);
    }
    parts.push(Identifier::Word(word));
    while let Some(after_dot) = rest.strip_prefix('.') {
        let (part, after) = split_while(after_dot, |byte| byte.is_ascii_alphanumeric());
        match part.parse::<u64>() {
            Ok(number) => parts.push(Identifier::Number(number)),
            Err(_) if is_pre_release_word(part) => parts.push(Identifier::Word(part)),
            Err(_) => break,
        }
        rest = after;
    }
    (parts, rest)
}

fn is_pre_release_word(part: &str) -> bool {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let mut words = PRE_RELEASE_WORDS.iter();
    words.any(|word| word.eq_ignore_ascii_case(letters)) && (letters.len() > 1 || letters != part)
}

/// The rest of a text after the build at its start. An apparent file type at the end, such as
/// `.tar.gz`, is not part of the build.
fn after_build(text: &str) -> &str {
    let Some(build) = text.strip_prefix('+') else {
        return text;
    };
    let (build, _) = split_while(build, |byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let mut kept = build.trim_end_matches('.');
    if kept.is_empty() || build.starts_with('.') {
        return text;
    }
    let is_file_type =
        |part: &str| part == "7z" || part.starts_with(|c: char| c.is_ascii_alphabetic());
    while let Some((before, part)) = kept.rsplit_once('.')
        && is_file_type(part)
    {
        kept = before.trim_end_matches('.');
    }
    &text[1 + kept.len()..]
}

/// Whether the numbers are a private, loopback or link-local IPv4 address.
fn is_address(numbers: &[u64]) -> bool {
    let is_local = matches!(
        numbers,
        [10 | 127, _, _, _] | [172, 16..=31, _, _] | [192, 168, _, _] | [169, 254, _, _]
    );
    is_local && numbers.iter().all(|number| *number < 256)
}

/// Whether a text ends in a `v` that is not the end of another word.
fn ends_in_v(text: &str) -> bool {
    match text.as_bytes() {
        [.., before, b'v' | b'V'] => !before.is_ascii_alphanumeric(),
        [b'v' | b'V'] => true,
        _ => false,
    }
}

fn split_while(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !belongs(byte));
    text.split_at(end.unwrap_or(text.len()))
}
