//! The subset of regular expressions that the contract's patterns use: characters, classes and
//! counts.
//!
//! Invariant: a construct outside the subset fails, so no pattern is ever checked only in part.
//!
//! Source: ECMA-262, section 22.2, which JSON Schema names for `pattern`.

use std::iter::Peekable;
use std::str::Chars;

/// A pattern that is anchored at the start of the text.
pub struct Pattern {
    elements: Vec<Element>,
    to_the_end: bool,
}

/// Characters of one class, repeated.
struct Element {
    class: Class,
    least: usize,
    most: usize,
}

struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    fn holds(&self, character: char) -> bool {
        let inside = |(first, last): &(char, char)| (*first..=*last).contains(&character);
        self.ranges.iter().any(inside) != self.negated
    }
}

impl Pattern {
    pub fn new(pattern: &str) -> Self {
        let rest = pattern
            .strip_prefix('^')
            .unwrap_or_else(|| panic!("'{pattern}' does not begin with ^"));
        let (rest, to_the_end) = match rest.strip_suffix('$') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let mut characters = rest.chars().peekable();
        let mut elements = Vec::new();
        while let Some(character) = characters.next() {
            let class = class(character, &mut characters);
            let (least, most) = quantifier(&mut characters);
            elements.push(Element { class, least, most });
        }
        Self {
            elements,
            to_the_end,
        }
    }

    pub fn is_match(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.matches(&self.elements, &text)
    }

    fn matches(&self, elements: &[Element], text: &[char]) -> bool {
        let Some((element, later)) = elements.split_first() else {
            return text.is_empty() || !self.to_the_end;
        };
        let holds = |character: &&char| element.class.holds(**character);
        let most = text.iter().take(element.most).take_while(holds).count();
        (element.least..=most)
            .rev()
            .any(|taken| self.matches(later, &text[taken..]))
    }
}

fn class(first: char, rest: &mut Peekable<Chars<'_>>) -> Class {
    let one = |character| vec![(character, character)];
    match first {
        '.' => Class {
            negated: true,
            ranges: one('\n'),
        },
        '[' => bracketed(rest),
        '(' | ')' | '|' | '^' | '$' | '*' | '+' | '?' | '{' => {
            panic!("'{first}' is not understood in a pattern")
        }
        character => Class {
            negated: false,
            ranges: one(literal(character, rest)),
        },
    }
}

fn bracketed(rest: &mut Peekable<Chars<'_>>) -> Class {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let character = rest.next().expect("a class ends with ]");
        if character == ']' {
            return Class { negated, ranges };
        }
        let first = literal(character, rest);
        let mut ahead = rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next() != Some(']');
        let last = if is_range {
            rest.next();
            let character = rest.next().expect("a range has an end");
            literal(character, rest)
        } else {
            first
        };
        ranges.push((first, last));
    }
}

fn literal(character: char, rest: &mut Peekable<Chars<'_>>) -> char {
    if character != '\\' {
        return character;
    }
    match rest.next() {
        Some('n') => '\n',
        Some('u') => {
            let digits: String = rest.by_ref().take(4).collect();
            let code = u32::from_str_radix(&digits, 16).expect("four hexadecimal digits");
            char::from_u32(code).expect("a character")
        }
        Some(punctuation) if punctuation.is_ascii_punctuation() => punctuation,
        other => panic!("\\{other:?} is not understood in a pattern"),
    }
}

/// The count; exactly one by default.
fn quantifier(rest: &mut Peekable<Chars<'_>>) -> (usize, usize) {
    if rest.next_if_eq(&'*').is_some() {
        return (0, usize::MAX);
    }
    if rest.next_if_eq(&'+').is_some() {
        return (1, usize::MAX);
    }
    if rest.next_if_eq(&'{').is_none() {
        return (1, 1);
    }
    let inside: String = rest.by_ref().take_while(|c| *c != '}').collect();
    let number = |text: &str| text.parse().expect("a number in {}");
    match inside.split_once(',') {
        None => (number(&inside), number(&inside)),
        Some((least, "")) => (number(least), usize::MAX),
        Some((least, most)) => (number(least), number(most)),
    }
}

#[test]
fn patterns_match_what_they_say_and_nothing_else() {
    let cases = [
        ("^[0-9a-f]{2}$", "0f", true),
        ("^[0-9a-f]{2}$", "0fa", false),
        ("^[0-9a-f]{2}$", "0g", false),
        ("^a.+\"", "a; name=\"b\" and more", true),
        ("^a.+\"", "a\"", false),
        ("^bytes [*]/[0-9]+$", "bytes */12", true),
        ("^bytes [*]/[0-9]+$", "bytes 1/12", false),
        (r"^[^./\\\u0000-\u001f][^/]*$", "a.zip", true),
        (r"^[^./\\\u0000-\u001f][^/]*$", ".zip", false),
        (r"^[^./\\\u0000-\u001f][^/]*$", "\tzip", false),
        ("^[!-~]{1,3}$", "abc", true),
        ("^[!-~]{1,3}$", "", false),
        ("^[0-9-]+$", "1-2", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(
            Pattern::new(pattern).is_match(text),
            expected,
            "{pattern} {text}"
        );
    }
}
