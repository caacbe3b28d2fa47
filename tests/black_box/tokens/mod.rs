//! Named tokens: what each one may, their files as they change, and the command that makes them.

mod command;
mod files;
#[cfg(feature = "oidc")]
mod forged;
#[cfg(feature = "oidc")]
pub mod identities;
#[cfg(feature = "oidc")]
mod issuers;
mod rights;
mod rotation;

use crate::support::{Response, TestServer};
use release_server::tokens::{Right, secret};
use std::fmt::Write as _;
use std::path::Path;

/// A token with its entry.
pub struct Named {
    pub token: String,
    pub entry: String,
}

/// A new token, whose entry has these lines besides.
pub fn named(name: &str, lines: &str) -> Named {
    let token = secret::generate().unwrap();
    let hash = crate::support::hex(token.as_bytes());
    let entry = format!("- name: {name}\n  sha256: {hash}\n{lines}");
    Named { token, entry }
}

/// A tokens file with these entries.
pub fn write_tokens<'e>(path: &Path, entries: impl IntoIterator<Item = &'e str>) {
    let mut text = "tokens:\n".to_owned();
    entries.into_iter().for_each(|entry| text.push_str(entry));
    if text.ends_with(":\n") && !text.contains('-') {
        "tokens: []\n".clone_into(&mut text);
    }
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

/// The line of an entry with these rights.
pub fn may(rights: &[Right]) -> String {
    let words: Vec<&str> = rights.iter().map(|right| right.word()).collect();
    let mut line = String::new();
    writeln!(line, "  may: [{}]", words.join(", ")).unwrap();
    line
}

/// A request with this token.
pub fn with_token(
    server: &TestServer,
    token: &str,
    (method, path): (&str, &str),
    headers: &str,
    body: &[u8],
) -> Response {
    let headers = format!("Authorization: Bearer {token}\r\n{headers}");
    server.request(method, path, &headers, body)
}
