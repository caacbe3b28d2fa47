//! Hints for names that are nearly the name of a setting.

use super::keys;

/// The variable beside those of settings.
pub const CONFIG_PATH: &str = "CONFIG_PATH";

/// The key that a name in YAML probably means.
pub fn key_near(name: &str) -> Option<&'static str> {
    nearest(name, keys::ALL.iter().map(|key| key.name))
}

fn variables() -> impl Iterator<Item = &'static str> {
    let of_settings = keys::ALL.iter().flat_map(|key| key.variables).copied();
    of_settings.chain([CONFIG_PATH])
}

/// Whether this server reads a variable of this name.
pub fn is_variable(name: &str) -> bool {
    variables().any(|known| known == name)
}

/// The variable that a name probably means; `None` for the name of a variable itself.
pub fn variable_near(name: &str) -> Option<&'static str> {
    if is_variable(name) {
        return None;
    }
    nearest(name, variables())
}

/// The known name with the fewest edits, if they are few for its length: `HOME` must not be taken
/// for `HOST`.
fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    known
        .filter_map(|known| {
            let edits_max = if known.len() <= 4 { 1 } else { 2 };
            let edits = edits_between(name.as_bytes(), known.to_ascii_lowercase().as_bytes());
            (edits <= edits_max).then_some((edits, known))
        })
        .min()
        .map(|(_, known)| known)
}

/// The edits that make one name of another: a byte inserted, removed or replaced, or two neighbours
/// swapped (the optimal string alignment distance).
fn edits_between(from: &[u8], to: &[u8]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (above, byte) in from.iter().enumerate() {
        let mut row = vec![above + 1];
        for (left, other) in to.iter().enumerate() {
            let replaced = rows[above][left] + usize::from(byte != other);
            let mut least = replaced.min(rows[above][left + 1] + 1).min(row[left] + 1);
            let swaps = above > 0 && left > 0 && *byte == to[left - 1] && from[above - 1] == *other;
            if swaps {
                least = least.min(rows[above - 1][left - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}
