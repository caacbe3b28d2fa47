//! Names of packages: an accepted name keeps the rules, and survives a path and a header.
//!
//! Sources: docs/contract.md, section 1, "Filenames"; RFC 6266; the invariants of `storage::name`
//! and `http::disposition`.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use release_server::http::disposition::attachment;
use release_server::http::target::decode_segment;
use release_server::storage::PackageName;
use release_server::storage::name::NameError;
use std::path::{Component, Path};

/// Every property of names.
pub fn check(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    // For every name, the value is one that the strict reader accepts.
    let value = attachment(text);
    let (plain, extended) = read_attachment(&value);
    assert!(
        extended.as_ref().is_none_or(|name| name == text),
        "{value:?}"
    );
    match PackageName::parse(text) {
        Ok(name) => {
            assert_eq!(extended.unwrap_or(plain), text, "{value:?}");
            check_accepted(&name, text);
        }
        Err(why) => {
            let sentence = why.to_string();
            assert!(!sentence.contains(char::is_control), "{text:?}");
            assert!(!keeps_the_rules(text), "{text:?}: {sentence}");
        }
    }
}

fn check_accepted(name: &PackageName, text: &str) {
    assert!(keeps_the_rules(text), "{text:?}");
    assert_eq!(name.as_str(), text);
    let components: Vec<Component<'_>> = Path::new(name.as_str()).components().collect();
    assert_eq!(components, [Component::Normal(text.as_ref())], "{text:?}");
    let sidecar = PackageName::parse(&name.sidecar());
    let refused = [NameError::Reserved, NameError::TooLong].map(Err);
    assert!(refused.contains(&sidecar), "{text:?}");
    let segment = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    assert_eq!(
        decode_segment(&segment).as_deref(),
        Some(text),
        "{segment:?}"
    );
}

/// The contract's sentence, word by word.
fn keeps_the_rules(text: &str) -> bool {
    (1..=240).contains(&text.len())
        && !text.contains(['/', '\\', '\0'])
        && !text.contains(char::is_control)
        && !text.starts_with('.')
        && !text.ends_with(".sha256")
}

/// A client's reading of an attachment's value: the plain name, and the extended one. Strict, so
/// that only RFC 6266's grammar passes.
pub fn read_attachment(value: &str) -> (String, Option<String>) {
    let rest = value
        .strip_prefix("attachment; filename=\"")
        .expect("the plain name");
    let mut plain = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next().expect("a closing quote") {
            '"' => break,
            '\\' => plain.push(characters.next().expect("an escaped character")),
            character => {
                assert!(matches!(character, ' '..='~'), "{value:?}");
                plain.push(character);
            }
        }
    }
    let extended = match characters.as_str() {
        "" => None,
        rest => {
            let encoded = rest
                .strip_prefix("; filename*=UTF-8''")
                .expect("the extended name");
            let attr_char =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~%".contains(&byte);
            assert!(encoded.bytes().all(attr_char), "{value:?}");
            Some(
                percent_decode_str(encoded)
                    .decode_utf8()
                    .expect("UTF-8")
                    .into_owned(),
            )
        }
    };
    (plain, extended)
}
