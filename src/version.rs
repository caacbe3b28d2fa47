//! Versions in file names: which one a name holds, and which of two comes first.
//!
//! A version is what semantic versioning writes, as far as file names write it: three or more numbers with dots between
//! them, a `v` in front or not; right behind them what marks a pre-release (`-rc.1`, `rc1`, `.dev4`); then `+` and a
//! build. Of several versions in a name the last one counts. What only looks like a pre-release, such as `-linux` or
//! `-1`, is none: one begins with a word of [`PRE_RELEASE_WORDS`].
//!
//! Invariants: any text is read in time proportional to its length; precedence is that of semantic versioning wherever
//! that has one.
//!
//! Sources: Semantic Versioning 2.0.0, items 9 to 11; PEP 440, "Pre-releases", for the forms in wheels.

use std::cmp::Ordering;

/// What a pre-release begins with. A single letter does so only with a number behind it.
const PRE_RELEASE_WORDS: [&str; 12] = [
    "a", "alpha", "b", "beta", "canary", "dev", "next", "nightly", "pre", "preview", "rc",
    "snapshot",
];

/// A version, as it stands in a name. Two that differ in their `v` alone are equal.
#[derive(Clone, Debug)]
pub struct Version<'n> {
    text: &'n str,
    precedence: Precedence<'n>,
}

/// What decides which version comes first, in this order. Builds do not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Precedence<'n> {
    numbers: Vec<u64>,
    is_final: bool,
    pre_release: Vec<Identifier<'n>>,
}

/// A part of a pre-release: numbers come before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'n> {
    Number(u64),
    Word(&'n str),
}

impl<'n> Version<'n> {
    /// The version that a file's name holds.
    pub fn of(name: &'n str) -> Option<Self> {
        let mut found = None;
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
            let start = start - usize::from(ends_in_v(&name[..start]));
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

    /// As it is written.
    pub fn as_str(&self) -> &'n str {
        self.text
    }

    /// As it is written, but for the `v`: what tells it from every other.
    pub fn without_v(&self) -> &'n str {
        without_v(self.text)
    }

    /// Whether it comes before the version of its numbers.
    pub fn is_pre_release(&self) -> bool {
        !self.precedence.is_final
    }
}

impl Ord for Version<'_> {
    /// By precedence; what has the same, by its text.
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

/// A tag or a version without the `v` in front.
pub fn without_v(tag: &str) -> &str {
    tag.strip_prefix(['v', 'V']).unwrap_or(tag)
}

/// The numbers at the start of a text, dots between them, and what follows; `None` where one is too large to compare.
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

/// The parts of the pre-release at the start of a text, and what follows.
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

/// What follows the build at the start of a text. What looks like a file type at its end, such as `.tar.gz`, is none of it.
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

/// Whether a text ends in a `v` that is no other word's end.
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
