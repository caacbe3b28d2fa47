//! Files that are read again: panics end neither the thread nor the value in force.

use release_server::watch::{self, Report, Reread, Source, Watched};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime};

/// Files that always hold something new, whose value is the count of their readings; checking some
/// of them panics.
#[derive(Default)]
struct Files {
    readings: AtomicUsize,
    panics_at: Vec<usize>,
}

impl Source for Files {
    type Contents = usize;
    type Value = usize;

    fn read(&self) -> Result<usize, String> {
        Ok(self.readings.fetch_add(1, Ordering::Relaxed))
    }

    fn check(&self, contents: &usize, _now: SystemTime) -> Result<usize, String> {
        assert!(!self.panics_at.contains(contents), "the test's own");
        Ok(*contents)
    }
}

#[test]
fn contents_at_which_checking_panics_are_refused() {
    let panics_at = vec![1, 2];
    let files = Files {
        panics_at,
        ..Files::default()
    };
    let watched = Watched::open(files, SystemTime::UNIX_EPOCH).unwrap();
    let reread = || watched.reread(SystemTime::UNIX_EPOCH, Report::AtOnce);
    for _ in 1..=2 {
        let Reread::Refused(why) = reread() else {
            panic!("not refused");
        };
        assert!(why.contains("checking the files panicked"), "{why}");
        assert_eq!(*watched.value(), 0);
    }
    assert_eq!(reread(), Reread::Renewed(Arc::new(3)));
    assert_eq!(*watched.value(), 3);
}

#[test]
fn the_thread_goes_on_after_a_panic() {
    let (called, calls) = mpsc::channel();
    // The thread outlives the test, and then does nothing.
    let reread = move || assert!(called.send(()).is_err(), "the test's own");
    watch::start("watch", Duration::from_millis(20), reread).unwrap();
    for _ in 1..=3 {
        calls.recv_timeout(Duration::from_mins(1)).unwrap();
    }
}
