//! Patterns of file names: `*` matches any characters, `?` one, every other character itself.
//!
//! Invariant: matching takes time proportional to the length of the name, whatever the pattern: all
//! positions in the pattern that the name may have reached are tracked at once, as bits.
//!
//! Sources: POSIX.1-2024, Shell Command Language, section 2.14, without brackets and without a rule
//! for leading dots, which no package name has; Baeza-Yates and Gonnet, "A new approach to text
//! searching" (1992), for the bits.

use crate::limits::NAME_BYTES_MAX;

/// One bit for each position in a pattern: before its first element, between two, after the last.
type Positions = [u64; WORDS];
const WORDS: usize = (NAME_BYTES_MAX + 1).div_ceil(64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The number of elements other than `*`; each takes one character.
    elements: usize,
    /// The positions of a `*`.
    stars: Positions,
    /// The positions before a `?`.
    any: Positions,
    /// For each character of the pattern, in order, the positions before it.
    characters: Vec<(char, Positions)>,
}

impl Pattern {
    /// A pattern; every text is valid.
    pub fn new(text: &str) -> Self {
        let mut pattern = Self {
            elements: 0,
            stars: Positions::default(),
            any: Positions::default(),
            characters: Vec::new(),
        };
        for character in text.chars() {
            let at = pattern.elements;
            // No name is long enough for the rest.
            if at > NAME_BYTES_MAX {
                break;
            }
            let positions = match character {
                '*' => &mut pattern.stars,
                '?' => &mut pattern.any,
                other => pattern.positions_before(other),
            };
            positions[at / 64] |= 1 << (at % 64);
            pattern.elements += usize::from(character != '*');
        }
        pattern
    }

    fn positions_before(&mut self, character: char) -> &mut Positions {
        let found = self
            .characters
            .binary_search_by_key(&character, |(known, _)| *known);
        let at = found.unwrap_or_else(|at| {
            self.characters
                .insert(at, (character, Positions::default()));
            at
        });
        &mut self.characters[at].1
    }

    /// Whether a name of at most [`NAME_BYTES_MAX`] bytes matches; of a longer text this says
    /// nothing.
    pub fn matches(&self, name: &str) -> bool {
        if self.elements > NAME_BYTES_MAX {
            return false;
        }
        let mut reached = Positions::default();
        reached[0] = 1;
        for character in name.chars() {
            let found = self
                .characters
                .binary_search_by_key(&character, |(known, _)| *known);
            let wanted = found.map_or(Positions::default(), |at| self.characters[at].1);
            let mut carry = 0;
            for word in 0..WORDS {
                let taken = reached[word] & (wanted[word] | self.any[word]);
                reached[word] = reached[word] & self.stars[word] | taken << 1 | carry;
                carry = taken >> 63;
            }
            if reached == Positions::default() {
                return false;
            }
        }
        reached[self.elements / 64] & 1 << (self.elements % 64) != 0
    }
}
