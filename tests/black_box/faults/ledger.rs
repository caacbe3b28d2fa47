//! The expected state of a directory: the contents that each package may have, and the check of
//! that.
//!
//! Invariant: an unanswered request leaves two possible states of its package, the one before and
//! the one after; an answered request leaves one.

use crate::support::{Response, TestServer, hex, until};
use std::collections::BTreeMap;

/// A package's content; `None` if there is no package.
pub type Content = Option<Vec<u8>>;

/// The possible states of each name.
#[derive(Default)]
pub struct Ledger {
    allowed: BTreeMap<String, Vec<Content>>,
    /// The number of packages checked so far.
    pub packages_checked: usize,
}

impl Ledger {
    /// A request is about to be sent that leads to this state.
    pub fn may_become(&mut self, name: &str, content: Content) {
        let allowed = self.allowed.entry(name.to_owned());
        allowed.or_insert_with(|| vec![None]).push(content);
    }

    /// A package has certainly reached this state.
    pub fn became(&mut self, name: &str, content: Content) {
        self.allowed.insert(name.to_owned(), vec![content]);
    }

    /// Records the packages that an answered publish reports as removed.
    pub fn swept(&mut self, answer: &Response) {
        for name in answer.json()["removed"].as_array().unwrap() {
            self.became(name.as_str().unwrap(), None);
        }
    }

    /// The last announced request for a package was answered with success.
    pub fn happened(&mut self, name: &str) {
        let allowed = self.allowed.get_mut(name).unwrap();
        allowed.drain(..allowed.len() - 1);
    }

    /// The last announced request for a package changed nothing.
    pub fn stayed(&mut self, name: &str) {
        self.allowed.get_mut(name).unwrap().pop();
    }

    /// Asserts that every name is in a possible state: its exact bytes and checksum, listed, no
    /// other file in the directory, no lock on it. The observed state is then the only possible
    /// one.
    pub fn check(&mut self, server: &TestServer, when: &str) {
        let mut there = BTreeMap::new();
        for (name, allowed) in &mut self.allowed {
            let answer = server.get(&format!("/assets/{name}"));
            let content = match answer.status {
                200 => Some(answer.body),
                404 => None,
                other => panic!("{when}: {name} answers {other}"),
            };
            assert!(
                allowed.contains(&content),
                "{when}: {name} is in none of {} allowed states, but has {:?} bytes",
                allowed.len(),
                content.as_ref().map(Vec::len)
            );
            if let Some(content) = &content {
                there.insert(name.clone(), hex(content));
            }
            *allowed = vec![content];
        }
        self.packages_checked += there.len();
        self.allowed.retain(|_, allowed| allowed[0].is_some());
        assert_listed(server, &there, when);
        assert_stored(server, &there, when);
        until(|| {
            std::fs::File::open(server.storage())
                .unwrap()
                .try_lock()
                .ok()
        });
    }
}

/// Lost checksums are recomputed, so the check waits for them; a wrong checksum never appears.
fn assert_listed(server: &TestServer, there: &BTreeMap<String, String>, when: &str) {
    until(|| {
        let list = server.get("/packages?format=json").json();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), there.len(), "{when}: the listing's length");
        list.iter()
            .all(|package| {
                let name = package["name"].as_str().unwrap();
                let shown = package["sha256"].as_str();
                assert!(
                    shown.is_none_or(|shown| shown == there[name]),
                    "{when}: the listing has a wrong checksum for {name}"
                );
                shown.is_some()
            })
            .then_some(())
    });
}

fn assert_stored(server: &TestServer, there: &BTreeMap<String, String>, when: &str) {
    let with_sidecar = |name: &String| [name.clone(), format!("{name}.sha256")];
    let mut expected: Vec<String> = there.keys().flat_map(with_sidecar).collect();
    expected.sort();
    until(|| (server.stored() == expected).then_some(()));
    for (name, sha256) in there {
        let sidecar = server.storage().join(format!("{name}.sha256"));
        until(|| {
            let text = std::fs::read_to_string(&sidecar).unwrap_or_default();
            assert!(
                text.len() != 64 || text == *sha256,
                "{when}: {name} has a wrong sidecar"
            );
            (text == *sha256).then_some(())
        });
    }
}
