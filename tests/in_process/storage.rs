//! The directory on a manual clock: changes of other programs, and leftovers, are found in the time
//! that is promised for each, and not before.

use crate::support::{TestServer, until};
use release_server::clock::Clock;
use release_server::limits::{LEFTOVERS_INTERVAL, LISTING_FRESH_TIME};
use release_server::storage::{Retention, Store, engines};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn open(path: &Path, clock: &Clock) -> Arc<dyn Store> {
    let retention = Retention {
        max_packages: None,
        max_releases: None,
        pinned: Vec::new(),
    };
    let options = engines::Options {
        path: path.to_owned(),
        retention,
        workers: 1,
        clock: clock.clone(),
        bucket: None,
    };
    engines::open(options).unwrap()
}

/// Puts a package there as another program does, with a time of the directory that no other change
/// has.
fn place(path: &Path, name: &str, second: u64) {
    std::fs::write(path.join(name), "content").unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    File::open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_change_of_another_program_is_listed_after_the_promised_time_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual();
    let store = open(directory.path(), &clock);
    let listed = || store.listing().unwrap().packages().len();
    assert_eq!(listed(), 0);
    for number in 1..=3 {
        place(directory.path(), &format!("{number}.zip"), number);
        let tick = Duration::from_millis(1);
        clock.advance(LISTING_FRESH_TIME.checked_sub(tick).unwrap());
        assert_eq!(listed() as u64, number - 1, "a millisecond too early");
        clock.advance(tick);
        assert_eq!(listed() as u64, number);
    }
}

#[test]
fn a_change_of_another_server_is_listed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    // It stands still: no time passes after which the directory would be looked at anyway.
    let clock = Clock::manual();
    let store = open(directory.path(), &clock);
    let other = TestServer::over(directory.path(), &[]);
    for number in 1..=3 {
        assert_eq!(store.listing().unwrap().packages().len(), number - 1);
        assert_eq!(other.put(&format!("{number}.zip"), b"1").status, 201);
        assert_eq!(store.listing().unwrap().packages().len(), number);
    }
}

#[test]
fn leftovers_are_removed_at_every_interval() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::manual();
    let store = open(directory.path(), &clock);
    let leftover = directory.path().join("gone.zip.sha256");
    let leave = || std::fs::write(&leftover, "of a package that is gone").unwrap();
    leave();
    let _maintenance = store.start_maintenance().unwrap();
    until(|| (!leftover.exists()).then_some(()));
    leave();
    clock.advance(LEFTOVERS_INTERVAL);
    until(|| (!leftover.exists()).then_some(()));
}
