//! Every parser of the library, fed with tables, with every split of their entries, and with seeded random input.
//!
//! What is expected comes from the RFCs and the project's contract, which each module names. The tables are plain data,
//! so that a fuzz corpus can be seeded from them. This file has what the modules share: a small generator of random
//! numbers, the mutations that are made with it, ways to split an input, and heads for the parsers that read fields.

mod authority;
mod body;
mod chunked;
mod conditional;
mod config;
mod config_layers;
mod config_refusals;
mod date;
mod differential;
mod digest;
mod disposition;
mod head;
mod head_accepted;
mod head_refused;
mod multipart;
mod multipart_random;
mod multipart_tables;
mod name;
mod parameters;
mod pattern;
mod range;
mod second_reader;
mod smoke;
mod smoke_values;
mod target;
mod value;
mod version;

use release_server::http::head::{Fields, Parsed, field_slots, parse};

/// Marsaglia's xorshift generator: the same numbers in every run, and no dependency.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        // The state must not be zero; the multiplication keeps neighbouring seeds apart.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number under `limit`, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        // The high bits are the better ones.
        let number = self.number() >> 32;
        usize::try_from(number % limit as u64).expect("smaller than a usize")
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn byte(&mut self) -> u8 {
        self.number().to_be_bytes()[0]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    /// Up to `most` pieces, each one of `choices`.
    fn text(&mut self, choices: &[&str], most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| self.pick(choices))
            .collect()
    }

    /// One to four small changes, mostly one: a byte, a piece of `pieces` put in, a stretch taken out, doubled or cut off.
    fn mutate(&mut self, input: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        let further_changes = self.below(4) * self.below(2);
        for _ in 0..=further_changes {
            let from = self.below(bytes.len() + 1);
            let length = self.below(12).min(bytes.len() - from);
            let stretch = from..from + length;
            match self.below(6) {
                0 if from < bytes.len() => bytes[from] = self.byte(),
                1 => drop(bytes.drain(stretch)),
                2 => {
                    let doubled = bytes[stretch].to_vec();
                    bytes.splice(from..from, doubled);
                }
                3 if self.below(4) == 0 => bytes.truncate(from),
                _ => drop(bytes.splice(from..from, self.pick(pieces).iter().copied())),
            }
        }
        bytes
    }
}

/// Calls `check` with the two halves of `input`, for every place where it can be cut.
fn at_every_split(input: &[u8], mut check: impl FnMut(&[&[u8]])) {
    for at in 0..=input.len() {
        let (first, second) = input.split_at(at);
        check(&[first, second]);
    }
}

/// The input, one byte at a time.
fn single_bytes(input: &[u8]) -> Vec<&[u8]> {
    input.chunks(1).collect()
}

/// Calls `check` with the fields of a request that has these header lines, each without its line end.
fn with_fields<T>(lines: &[&str], check: impl FnOnce(&Fields<'_, '_>) -> T) -> T {
    let lines: String = lines.iter().flat_map(|line| [*line, "\r\n"]).collect();
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    let mut slots = field_slots();
    match parse(head.as_bytes(), &mut slots) {
        Ok(Parsed::Complete(head, _)) => check(&head.fields),
        other => panic!("{head:?}: {other:?}"),
    }
}
