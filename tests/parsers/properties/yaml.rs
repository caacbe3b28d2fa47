//! YAML of manifests: bounded, and what was read can be written again.
//!
//! Source: the invariants of `manifest::yaml` and `manifest::yaml_scalar`.

use release_server::manifest::package_version::{PackageVersion, is_specifier};
use release_server::manifest::yaml::{Yaml, parse};
use release_server::manifest::yaml_scalar::resolve;
use std::fmt::Write;

/// Every property of YAML documents; the input is a scalar and a version as well.
pub fn check(input: &[u8]) {
    let shown = input.escape_ascii();
    if let Ok(text) = std::str::from_utf8(input) {
        resolve(text);
        is_specifier(text);
        if let Some(version) = PackageVersion::parse(text) {
            let written = PackageVersion::parse(version.as_str());
            assert_eq!(written.as_ref(), Some(&version), "{shown}");
        }
    }
    let Ok(document) = parse(input) else { return };
    assert!(depth(&document) <= 33, "{shown}");
    let mut written = String::new();
    write_value(&document, &mut written);
    assert_eq!(
        parse(written.as_bytes()),
        Ok(without_aliases(&document)),
        "{shown}: {written}"
    );
    let crlf = [b"\r\n", input].concat();
    if !input.starts_with(b"\xef\xbb\xbf") && !input.starts_with(b"%") {
        assert_eq!(parse(&crlf), Ok(document), "{shown}");
    }
}

fn depth(value: &Yaml) -> usize {
    let below = match value {
        Yaml::List(list) => list.iter().map(depth).max(),
        Yaml::Mapping(pairs) => pairs.values().map(depth).max(),
        _ => return 0,
    };
    1 + below.unwrap_or(0)
}

/// Aliases are written as nothing.
fn without_aliases(value: &Yaml) -> Yaml {
    match value {
        Yaml::Alias => Yaml::Null,
        Yaml::List(list) => Yaml::List(list.iter().map(without_aliases).collect()),
        Yaml::Mapping(pairs) => Yaml::Mapping(
            pairs
                .iter()
                .map(|(key, value)| (key.clone(), without_aliases(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn write_value(value: &Yaml, text: &mut String) {
    match value {
        Yaml::Null | Yaml::Alias => text.push('~'),
        Yaml::Other => text.push_str("yes"),
        Yaml::Float(number) if number.is_infinite() => {
            text.push_str(if *number > 0.0 {
                "1.0e+999"
            } else {
                "-1.0e+999"
            });
        }
        Yaml::Float(number) => {
            let _ = write!(text, "{number:.400}");
        }
        Yaml::Text(content) => write_text(content, text),
        Yaml::List(list) => {
            text.push('[');
            for value in list {
                write_value(value, text);
                text.push_str(", ");
            }
            text.push(']');
        }
        Yaml::Mapping(pairs) => {
            text.push('{');
            for (key, value) in pairs {
                // A key that is longer than 1,024 characters needs its mark.
                text.push_str("? ");
                write_text(key, text);
                text.push_str(" : ");
                write_value(value, text);
                text.push_str(", ");
            }
            text.push('}');
        }
    }
}

fn write_text(content: &str, text: &mut String) {
    text.push('"');
    for c in content.chars() {
        let _ = write!(text, "\\U{:08x}", u32::from(c));
    }
    text.push('"');
}
