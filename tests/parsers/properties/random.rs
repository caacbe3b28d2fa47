//! Random numbers that are the same in every run, and the mutations made with them.

/// Marsaglia's xorshift generator: the same numbers in every run, and no dependency.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // The state must not be zero; the multiplication keeps neighbouring seeds apart.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A generator whose numbers depend only on the bytes (the seed is their FNV-1a hash).
    pub fn of(bytes: &[u8]) -> Self {
        Self::new(bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number under `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        // The high bits are the better ones.
        let number = self.number() >> 32;
        usize::try_from(number % limit as u64).expect("smaller than a usize")
    }

    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    pub fn byte(&mut self) -> u8 {
        self.number().to_be_bytes()[0]
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    /// Up to `most` pieces, each one of `choices`.
    pub fn text(&mut self, choices: &[&str], most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| self.pick(choices))
            .collect()
    }

    /// One to four small changes, mostly one: a byte, an inserted piece of `pieces`, a stretch
    /// removed, doubled or cut off.
    pub fn mutate(&mut self, input: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
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
