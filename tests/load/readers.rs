//! Overwriting during downloads: many readers of one large file that is constantly replaced and
//! deleted. Each reads one whole version, and a resumed download continues that version or starts
//! another one.

use crate::client::{Client, Way};
use crate::fetch::{Resumed, fetch, resume};
use crate::support::TestServer;
use crate::tally::Tally;
use crate::version::{Version, name};
use crate::{End, Length};
use std::sync::atomic::{AtomicBool, Ordering};

const NUMBER: u16 = 0;

/// The least number of replacements, however slow the machine is.
const REPLACED_MIN: u64 = 10;

#[test]
fn readers_get_wholly_one_version_whatever_happens_to_it() {
    let length = Length::from_environment();
    let size = length.choose(50_000_000, 1_000_000);
    let server = TestServer::start();
    let mut writer = Client::new(&server, 0);
    writer.publish(Version::new(NUMBER, 0, size), Way::Put, false, &[201]);
    let tally = Tally::default();
    let (end, is_over) = (End::after(length.time), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            replace(&mut writer, size, &tally, end);
            is_over.store(true, Ordering::Relaxed);
        });
        for seed in 1..=length.choose(50, 10) {
            let mut reader = Client::new(&server, seed as u64);
            // A pause, so that a download spans several versions and the writer gets its turn.
            reader.rest_milliseconds_max = length.choose(6000, 300);
            let (tally, is_over) = (&tally, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    read(&mut reader, size, tally);
                }
            });
        }
    });
    tally.print();
    tally.assert_no_errors();
    let stored = server.stored();
    assert_eq!(stored, [name(NUMBER), format!("{}.sha256", name(NUMBER))]);
}

/// Replaces the package repeatedly, sometimes by deleting it first; it exists at the end.
fn replace(writer: &mut Client, size: usize, tally: &Tally, end: End) {
    for serial in 1.. {
        // Of another length, so that one version's length with another's bytes would show.
        let version = Version::new(NUMBER, serial, size - writer.random.below(size / 10));
        let way = Way::ALL[writer.random.below(3)];
        if writer.random.once_in(3) {
            tally.attempt("deleted and published", || {
                writer.delete(&version.name(), &[204]);
                writer.publish(version, way, false, &[way.created()]);
                version.length()
            });
        } else {
            tally.attempt("overwritten", || {
                writer.publish(version, way, true, &[200]);
                version.length()
            });
        }
        if end.is_reached() && serial >= REPLACED_MIN {
            return;
        }
    }
}

/// Downloads once, in one or two requests, and counts the result.
fn read(reader: &mut Client, size: usize, tally: &Tally) {
    let name = name(NUMBER);
    if reader.random.once_in(2) {
        let mut has_checksum = true;
        tally.attempt("downloads", || {
            let fetched = fetch(reader, &name, "", usize::MAX);
            has_checksum = fetched.as_ref().is_none_or(|fetched| fetched.has_checksum);
            fetched.map_or(0, |fetched| fetched.bytes)
        });
        if !has_checksum {
            tally.outcome("without a checksum yet", 1);
        }
    } else {
        let mut outcome = None;
        tally.attempt("cut and resumed", || {
            let (bytes, resumed) = resume(reader, &name, size);
            outcome = Some(resumed);
            bytes
        });
        match outcome {
            Some(Resumed::Continued) => tally.outcome("continued: 206", 1),
            Some(Resumed::Anew) => tally.outcome("begun anew: 200", 1),
            Some(Resumed::Gone) => {
                tally.outcome("gone: 404", 1);
                reader.rest();
            }
            None => {}
        }
    }
}
