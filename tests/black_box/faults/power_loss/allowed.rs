//! What a store may hold at a moment of the record, and what is wrong with one that holds something
//! else.

use super::clients::Change;
use super::record::Event;
use crate::support::hex;
use release_server::clock::Clock;
use release_server::storage::directory_engine::store::DirectoryStore;
use release_server::storage::{Retention, Store as _};
use std::collections::BTreeMap;
use std::path::Path;

/// What each name may hold: the content before a change and the one after it, until the answer.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Allowed(BTreeMap<String, Vec<Claim>>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Claim {
    content: Option<Vec<u8>>,
    /// The change that makes it so.
    change: Option<usize>,
    is_answered: bool,
    /// Changes whose answers rule it out.
    until: Vec<usize>,
}

impl Allowed {
    /// A package that exists before the record.
    pub fn begin_with(&mut self, name: &str, content: &[u8]) {
        self.claim(name, Some(content.to_vec()), None);
        self.0.get_mut(name).unwrap().remove(0);
    }

    fn claim(&mut self, name: &str, content: Option<Vec<u8>>, change: Option<usize>) {
        let claim = |content, is_answered| Claim {
            content,
            change,
            is_answered,
            until: Vec::new(),
        };
        let claims = self.0.entry(name.to_owned());
        let claims = claims.or_insert_with(|| vec![claim(None, true)]);
        claims.push(claim(content, false));
    }

    pub fn follow(&mut self, event: &Event, changes: &[Change]) {
        match event {
            Event::Request(number) => {
                let change = &changes[*number];
                self.claim(&change.name, change.content.clone(), Some(*number));
                for claim in self.0.get_mut(&change.name).unwrap() {
                    if claim.is_answered {
                        claim.until.push(*number);
                    }
                }
                // Not synced: the packages may be back until the next change of their name.
                for name in &change.removed {
                    self.claim(name, None, Some(*number));
                }
            }
            Event::Answer(number) => {
                for claims in self.0.values_mut() {
                    claims.retain(|claim| !claim.until.contains(number));
                    for claim in claims {
                        claim.is_answered |= claim.change == Some(*number);
                    }
                }
            }
            _ => {}
        }
    }

    /// What is wrong with the store over a directory.
    pub fn fault(&self, storage: &Path) -> Option<String> {
        let store =
            DirectoryStore::open(storage, Retention::default(), 1, Clock::system()).unwrap();
        let listing = store.listing().unwrap();
        for (name, claims) in &self.0 {
            let content = std::fs::read(storage.join(name)).ok();
            let listed = listing.get(name);
            if listed.is_some() != content.is_some() {
                return Some(format!("{name} is stored or listed, not both"));
            }
            if !claims.iter().any(|claim| claim.content == content) {
                let length = content.map(|content| content.len());
                return Some(format!("{name} has a content of {length:?} bytes"));
            }
            let sha256 = listed.and_then(|package| package.sha256);
            if sha256.is_some_and(|sha256| Some(sha256.hex()) != content.as_deref().map(hex)) {
                return Some(format!("{name} has a wrong checksum"));
            }
        }
        let unknown = |name: &str| !self.0.contains_key(name);
        let listed = listing.packages().iter();
        let unknown = listed
            .map(|package| package.name.as_str())
            .find(|name| unknown(name));
        unknown.map(|name| format!("{name} was never published"))
    }
}
