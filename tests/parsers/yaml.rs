//! YAML of manifests: the values that PyYAML gives, and the stops.
//!
//! Source: YAML 1.1; PyYAML 6.0.3, which was asked for each plain scalar of the tables.

use release_server::manifest::yaml::{Yaml, YamlError, parse};
use release_server::manifest::yaml_scalar::{Plain, resolve};

/// Plain scalars that are not texts, and what they are.
pub const NOT_TEXTS: &[(&str, Plain)] = &[
    ("", Plain::Null),
    ("~", Plain::Null),
    ("null", Plain::Null),
    ("NULL", Plain::Null),
    ("yes", Plain::Other),
    ("On", Plain::Other),
    ("FALSE", Plain::Other),
    ("0", Plain::Other),
    ("-1", Plain::Other),
    ("+12_000", Plain::Other),
    ("017", Plain::Other),
    ("0_", Plain::Other),
    ("0x1F_", Plain::Other),
    ("0b10", Plain::Other),
    ("190:20:30", Plain::Other),
    ("190:20:30.15", Plain::Other),
    ("01:30.5", Plain::Other),
    ("1.0", Plain::Float(1.0)),
    ("1.", Plain::Float(1.0)),
    ("+1_0.5", Plain::Float(10.5)),
    (".5", Plain::Float(0.5)),
    ("1.5e+3", Plain::Float(1500.0)),
    ("-.inf", Plain::Other),
    (".NaN", Plain::Other),
    ("2026-01-31", Plain::Other),
    ("2024-02-29", Plain::Other),
    ("2026-1-1 1:02:03", Plain::Other),
    ("2026-01-01T01:02:03.5Z", Plain::Other),
    ("2026-01-01t01:02:03 +01:30", Plain::Other),
    // What makes PyYAML or Python give up.
    ("<<", Plain::Refused),
    ("=", Plain::Refused),
    ("0b_", Plain::Refused),
    ("0x_", Plain::Refused),
    ("2026-02-29", Plain::Refused),
    ("2026-13-01", Plain::Refused),
    ("0000-01-01", Plain::Refused),
    ("2026-01-01 24:00:00", Plain::Refused),
];

/// Plain scalars that are texts.
pub const TEXTS: &[&str] = &[
    "a",
    "y",
    "n",
    "nUll",
    "yEs",
    "1e3",
    "1e+3",
    "1.0.0",
    "v1.0",
    "08",
    "0o7",
    "1:60",
    "01:30",
    "+.5",
    "-.5x",
    "1__x",
    "_1",
    "2026-1-1",
    "2026-01-1",
    "2026-01-01 10",
    "0x1g",
    "0b12",
    ".inF",
    "+.nan",
    ".",
    "...x",
    "1.5e3",
    "é",
    "==",
];

#[test]
fn plain_scalars_are_what_pyyaml_makes_of_them() {
    for (text, plain) in NOT_TEXTS {
        assert_eq!(resolve(text), *plain, "{text:?}");
    }
    for text in TEXTS {
        assert_eq!(resolve(text), Plain::Text, "{text:?}");
    }
    assert_eq!(resolve(&"9".repeat(1000)), Plain::Other);
    assert_eq!(resolve(&"9".repeat(1001)), Plain::Refused);
}

/// Documents that are refused.
pub const REFUSED: &[(&str, YamlError)] = &[
    ("a: \u{7}", YamlError::Character),
    ("a: b\u{85}", YamlError::Character),
    ("a: \u{2028}", YamlError::Character),
    ("a: x\u{feff}", YamlError::Character),
    ("a: [", YamlError::Syntax),
    ("a: 'b", YamlError::Syntax),
    ("a: *b", YamlError::Syntax),
    ("a: @b", YamlError::Syntax),
    ("a: !!str b", YamlError::Tag),
    ("!x [a]", YamlError::Tag),
    ("a: ! b", YamlError::Tag),
    ("a: b\n---\nc: d", YamlError::Documents),
    ("a: b\n...\n---\n", YamlError::Documents),
    ("? [a]\n: b", YamlError::Key),
    ("? {a: b}\n: c", YamlError::Key),
    ("a: &x b\n*x : c", YamlError::Key),
    ("a: b\na: c", YamlError::DuplicateKey),
    ("a: b\n'a': c", YamlError::DuplicateKey),
    ("<<: {a: b}", YamlError::Scalar),
    ("a: 2026-02-30", YamlError::Scalar),
];

fn text(text: &str) -> Yaml {
    Yaml::Text(text.to_owned())
}

fn mapping(pairs: &[(&str, Yaml)]) -> Yaml {
    Yaml::Mapping(
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    )
}

#[test]
fn documents_are_read() {
    assert_eq!(parse(b""), Ok(Yaml::Null));
    assert_eq!(parse(b"# nothing\n"), Ok(Yaml::Null));
    assert_eq!(
        parse("\u{feff}a: b".as_bytes()),
        Ok(mapping(&[("a", text("b"))]))
    );
    let read = parse(b"---\na: &x [b, 'c', 1.0, yes]\nd: *x\n1: e\ntrue: f\n...\n");
    let list = [text("b"), text("c"), Yaml::Float(1.0), Yaml::Other];
    assert_eq!(
        read,
        Ok(mapping(&[
            ("a", Yaml::List(list.to_vec())),
            ("d", Yaml::Alias)
        ]))
    );
    let folded = parse(b"a: >-\n  b\n  c\nd: |\n  e\n\n  f\n");
    assert_eq!(
        folded,
        Ok(mapping(&[("a", text("b c")), ("d", text("e\n\nf\n"))]))
    );
}

#[test]
fn documents_are_refused() {
    for (document, error) in REFUSED {
        assert_eq!(parse(document.as_bytes()), Err(*error), "{document:?}");
    }
    assert_eq!(parse(b"a: \xff"), Err(YamlError::NotUtf8));
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(32).as_bytes()).is_ok());
    assert_eq!(parse(nested(33).as_bytes()), Err(YamlError::Depth));
    assert!(parse("[".repeat(60_000).as_bytes()).is_err());
    assert!(parse("- a\n".repeat(2_990).as_bytes()).is_ok());
    assert_eq!(
        parse("- a\n".repeat(3_000).as_bytes()),
        Err(YamlError::Events)
    );
}
