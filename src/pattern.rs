//! Patterns of file names: `*` stands for any characters, `?` for one, everything else for itself.
//!
//! Invariant: a match is decided in at most the product of both lengths, whatever the pattern: only the last `*` is ever
//! taken back, since what an earlier one could take, the last one can.
//!
//! Source: POSIX.1-2024, Shell Command Language, section 2.14, without brackets and without a rule for leading dots,
//! which no package has.

/// A pattern of file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern; every text is one.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether a name is one of those that the pattern stands for.
    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.chars(), name.chars());
        // Behind the last `*`, and what it has not taken yet.
        let mut last_star = None;
        loop {
            let at = rest.clone();
            match (pattern.next(), rest.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    rest = at;
                    last_star = Some((pattern.clone(), rest.clone()));
                }
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                _ => {
                    // The `*` takes one more character, if there is one.
                    let Some((behind, mut left)) = last_star.take() else {
                        return false;
                    };
                    if left.next().is_none() {
                        return false;
                    }
                    (pattern, rest) = (behind.clone(), left.clone());
                    last_star = Some((behind, left));
                }
            }
        }
    }
}
