//! Versions in names: a version reads as itself, and all versions have one total order, that of
//! semantic versioning.
//!
//! Sources: docs/contract.md, section 2; Semantic Versioning 2.0.0, items 9 to 11.

use release_server::version::{Version, without_v};
use std::cmp::Ordering;

const NAMES_MAX: usize = 6;

/// Every property of versions. The input is names, one a line.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let names = text.lines().take(NAMES_MAX);
    let versions: Vec<Version<'_>> = names
        .inspect(|name| check_one(name))
        .filter_map(Version::of)
        .collect();
    for one in &versions {
        assert_eq!(one.cmp(one), Ordering::Equal, "{one:?}");
        for two in &versions {
            let order = one.cmp(two);
            assert_eq!(two.cmp(one), order.reverse(), "{one:?} {two:?}");
            assert_eq!(one.partial_cmp(two), Some(order), "{one:?} {two:?}");
            assert_eq!(one == two, order.is_eq(), "{one:?} {two:?}");
            let same_text = one.without_v() == two.without_v();
            assert_eq!(one == two, same_text, "{one:?} {two:?}");
            if let (Some(left), Some(right)) = (semantic(one.as_str()), semantic(two.as_str())) {
                let expected = precedence(&left, &right);
                assert!(expected.is_eq() || expected == order, "{one:?} {two:?}");
            }
            for three in &versions {
                let ascend = order.is_le() && two.cmp(three).is_le();
                assert!(
                    !ascend || one.cmp(three).is_le(),
                    "{one:?} {two:?} {three:?}"
                );
            }
        }
    }
}

fn check_one(name: &str) {
    let Some(version) = Version::of(name) else {
        return;
    };
    let text = version.as_str();
    assert!(name.contains(text), "{name:?}: {text:?}");
    assert_eq!(without_v(text), version.without_v(), "{name:?}");
    assert!(
        version
            .without_v()
            .starts_with(|c: char| c.is_ascii_digit()),
        "{name:?}"
    );
    let again = Version::of(text).unwrap_or_else(|| panic!("{name:?}: {text:?} has no version"));
    assert_eq!(again, version, "{name:?}");
    assert_eq!(again.as_str(), text, "{name:?}");
    assert_eq!(again.is_pre_release(), version.is_pre_release(), "{name:?}");
}

/// The three numbers and the pre-release's identifiers of a text that is strictly a semantic
/// version.
type Semantic<'t> = ([u64; 3], Vec<&'t str>);

fn semantic(text: &str) -> Option<Semantic<'_>> {
    let text = without_v(text).split('+').next()?;
    let (core, pre_release) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = core.split('.').map(|number| number.parse::<u64>().ok());
    let core = [numbers.next()??, numbers.next()??, numbers.next()??];
    let identifiers: Vec<&str> = match pre_release {
        "" => Vec::new(),
        some => some.split('.').collect(),
    };
    let is_identifier = |part: &&str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_semantic = numbers.next().is_none() && identifiers.iter().all(is_identifier);
    is_semantic.then_some((core, identifiers))
}

/// Semantic Versioning, item 11, word by word.
fn precedence(left: &Semantic<'_>, right: &Semantic<'_>) -> Ordering {
    let by_core = left.0.cmp(&right.0);
    let by_pre_release = match (left.1.is_empty(), right.1.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let pairs = left.1.iter().zip(&right.1);
            let mut orders = pairs.map(|(one, two)| compare_identifiers(one, two));
            let first = orders.find(|order| order.is_ne());
            first.unwrap_or_else(|| left.1.len().cmp(&right.1.len()))
        }
    };
    by_core.then(by_pre_release)
}

fn compare_identifiers(one: &str, two: &str) -> Ordering {
    match (one.parse::<u64>(), two.parse::<u64>()) {
        (Ok(one), Ok(two)) => one.cmp(&two),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => one.cmp(two),
    }
}
