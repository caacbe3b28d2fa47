//! The listing: its order, and that a changed listing equals one that is made anew.
//!
//! Source: docs/contract.md, section 2: newest first by modification time, ties by name ascending.

use crate::Random;
use release_server::storage::PackageState;
use release_server::storage::{Content, Listing, Package, PackageName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

fn package(name: &str, seconds: u64, identity: u64) -> Arc<Package> {
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    Arc::new(Package {
        name: PackageName::parse(name).unwrap(),
        state: PackageState {
            identity,
            size: 1,
            modified: time,
            changed: time,
        },
        sha256: None,
        content: Content::Plain,
    })
}

fn names(listing: &Listing) -> Vec<&str> {
    let packages = listing.packages().iter();
    packages.map(|package| package.name.as_str()).collect()
}

#[test]
fn newest_first_and_ties_by_name() {
    let packages = [("c", 5), ("a", 5), ("b", 9), ("z", 1), ("B", 5)];
    let listing = Listing::new(packages.map(|(name, age)| package(name, age, 1)).into(), 0);
    assert_eq!(names(&listing), ["b", "B", "a", "c", "z"]);
    assert_eq!(listing.get("a").unwrap().name.as_str(), "a");
    assert!(listing.get("d").is_none());
}

#[test]
fn a_changed_listing_is_the_one_that_is_made_anew() {
    let mut random = Random::new(4);
    let mut known: BTreeMap<String, Arc<Package>> = BTreeMap::new();
    let mut listing = Listing::default();
    for round in 1..2000 {
        let some_names = |random: &mut Random| -> Vec<String> {
            let count = random.below(4);
            let mut names: Vec<_> = (0..count).map(|_| random.below(30).to_string()).collect();
            names.sort();
            names.dedup();
            names
        };
        // Some of them are missing, some occur twice.
        let gone = some_names(&mut random);
        known.retain(|name, _| !gone.contains(name));
        let come: Vec<_> = some_names(&mut random)
            .iter()
            .map(|name| package(name, random.number() % 5, round))
            .collect();
        for package in &come {
            known.insert(package.name.as_str().to_owned(), Arc::clone(package));
        }
        let gone: Vec<_> = gone
            .iter()
            .map(|name| PackageName::parse(name).unwrap())
            .collect();
        let before = listing.clone();
        listing = listing.changed(&gone, &come, round);
        let all: Vec<_> = known.values().cloned().collect();
        let anew = Listing::new(all, round);
        assert_eq!(listing.packages(), anew.packages(), "{before:?}");
        assert_eq!(listing.by_name(), anew.by_name(), "{before:?}");
    }
}
