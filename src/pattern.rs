//! Patterns of file names: `*` matches any characters, `?` one, every other character itself.
//!
//! Invariant: matching takes at most the product of both lengths in steps: only the last `*` is
//! ever extended, because it can take whatever an earlier one could.
//!
//! Source: POSIX.1-2024, Shell Command Language, section 2.14, without brackets and without a rule
//! for leading dots, which no package name has.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern; every text is valid.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.chars(), name.chars());
        // The pattern after the last `*`, and the text that this `*` has not taken yet.
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
                    let Some((after_star, mut left)) = last_star.take() else {
                        return false;
                    };
                    if left.next().is_none() {
                        return false;
                    }
                    (pattern, rest) = (after_star.clone(), left.clone());
                    last_star = Some((after_star, left));
                }
            }
        }
    }
}
