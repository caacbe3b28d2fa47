//! Patterns of names: a match is what a table over all positions says.
//!
//! Source: docs/contract.md, section 2; the invariant of `pattern`.

use release_server::limits::NAME_BYTES_MAX;
use release_server::pattern::Pattern;

/// Every property of patterns. The input is a pattern and, after a line's end, a name; longer names
/// than a package can have are cut, with room for one more byte.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let (pattern, name) = text.split_once('\n').unwrap_or((text, text));
    let name = &name[..name.floor_char_boundary(NAME_BYTES_MAX - 1)];
    let matches = Pattern::new(pattern).matches(name);
    assert_eq!(matches, matches_by_table(pattern, name), "{text:?}");
    let doubled = pattern.replace('*', "**");
    assert_eq!(Pattern::new(&doubled).matches(name), matches, "{text:?}");
    assert!(Pattern::new("*").matches(name), "{text:?}");
    assert!(Pattern::new(&format!("*{pattern}*")).matches(name) || !matches);
    assert_eq!(
        Pattern::new(&format!("{pattern}x")).matches(&format!("{name}x")),
        matches
    );
    if !name.contains(['*', '?']) {
        assert!(Pattern::new(name).matches(name), "{text:?}");
    }
}

/// The slow and plain way: whether each beginning of the name matches each beginning of the
/// pattern.
fn matches_by_table(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut row = vec![false; name.len() + 1];
    row[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        next[0] = wanted == '*' && row[0];
        for at in 1..=name.len() {
            next[at] = match wanted {
                '*' => row[at] || next[at - 1],
                '?' => row[at - 1],
                wanted => row[at - 1] && wanted == name[at - 1],
            };
        }
        row = next;
    }
    row[name.len()]
}
