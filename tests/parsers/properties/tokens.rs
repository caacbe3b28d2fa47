//! Tokens files: what they grant is sound, and no sentence about one shows a value.
//!
//! Source: docs/tokens.md, "The file".

use release_server::tokens::Right;
use release_server::tokens::entry::{Recognition, is_name};
use release_server::tokens::file::TokensFiles;
use release_server::watch::Source;
use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

/// A hash in the corpus, and what takes its place as a token that was pasted by mistake. It cannot
/// be a name.
pub const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SECRET: &str = "rs_0+secret";

/// Every property of tokens files. The input is one.
pub fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    check_text(&text);
    if let Some(why) = check_text(&text.replace(HASH, SECRET)) {
        assert!(
            why.contains("unknown key") || !why.contains(SECRET),
            "{why}"
        );
    }
}

/// The sentence about a text that is refused.
fn check_text(text: &str) -> Option<String> {
    let files = TokensFiles(vec!["t".into()]);
    let entries = match files.check(&vec![text.to_owned()], UNIX_EPOCH) {
        Ok(entries) => entries,
        Err(why) => {
            assert!(
                why.starts_with("t: ") && !why.contains(char::is_control),
                "{why:?}"
            );
            return Some(why);
        }
    };
    let mut names = BTreeSet::new();
    let mut hashes = BTreeSet::new();
    for entry in &entries {
        let grant = &entry.grant;
        assert!(
            is_name(&grant.name) && names.insert(&grant.name),
            "{entry:?}"
        );
        if let Recognition::Hash(hash) = &entry.recognition {
            assert!(hashes.insert(hash), "{entry:?}");
        }
        assert!(!grant.rights.is_empty(), "{entry:?}");
        let has = |right| grant.rights.contains(&right);
        assert!(!has(Right::Overwrite) || has(Right::Publish), "{entry:?}");
        grant.covers(text);
    }
    None
}
