//! Rivals: several servers over one directory, whose clients use the same names at once. Between
//! two rounds the exact content of the directory is known; other clients list and download
//! throughout.

use crate::client::{Client, Way};
use crate::fetch::fetch;
use crate::shared::SharedDirectory;
use crate::support::TestServer;
use crate::tally::Tally;
use crate::traffic::{latest_checksum, listed_versions};
use crate::version::{STRETCH_BYTES_MIN, Version, name};
use crate::{End, Length};
use std::collections::HashMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

const RIVALS: usize = 4;
const PACKAGES_MAX: usize = 3;
const ROUNDS_MIN: u16 = 5;

#[test]
fn of_rivals_one_wins_and_every_answer_is_true() {
    let length = Length::from_environment();
    for count in [1, 2, 4] {
        let directory = SharedDirectory::new();
        let settings = [("MAX_PACKAGES", &*PACKAGES_MAX.to_string())];
        let servers: Vec<_> = (0..count)
            .map(|number| TestServer::over(directory.of_server(number), &settings))
            .collect();
        let field = Field {
            directory: &directory,
            servers: &servers,
            tally: Tally::default(),
            is_over: AtomicBool::new(false),
        };
        field.play(End::after(length.time / 3));
        println!("\n{count} processes");
        field.tally.print();
        field.tally.assert_no_errors();
    }
}

/// A barrier between the rivals.
struct Field<'s> {
    directory: &'s SharedDirectory,
    servers: &'s [TestServer],
    tally: Tally,
    is_over: AtomicBool,
}

impl Field<'_> {
    fn play(&self, end: End) {
        std::thread::scope(|scope| {
            // The other servers hold a cached listing, as idle servers do.
            for number in 0..self.servers.len().div_ceil(2) {
                scope.spawn(move || {
                    while !self.is_over.load(Ordering::Relaxed) {
                        self.list_and_compare(number);
                    }
                });
            }
            let mut rivals: Vec<_> = (0..RIVALS)
                .map(|rival| Client::new(&self.servers[rival % self.servers.len()], rival as u64))
                .collect();
            for round in 1.. {
                self.tally.attempt("rounds", || {
                    self.round(&mut rivals, round);
                    0
                });
                if end.is_reached() && round >= ROUNDS_MIN {
                    break;
                }
            }
            self.is_over.store(true, Ordering::Relaxed);
        });
    }

    /// All rivals do the same at once; returns the answer of each.
    fn at_once<T: Send>(
        rivals: &mut [Client<'_>],
        does: impl Fn(u64, &mut Client<'_>) -> T + Sync,
    ) -> Vec<T> {
        let barrier = Barrier::new(rivals.len());
        std::thread::scope(|scope| {
            let begin = |(number, client)| {
                let (barrier, does) = (&barrier, &does);
                scope.spawn(move || {
                    barrier.wait();
                    does(number, client)
                })
            };
            let rivals: Vec<_> = (0..).zip(rivals).map(begin).collect();
            rivals
                .into_iter()
                .map(|rival| rival.join().unwrap())
                .collect()
        })
    }

    fn round(&self, rivals: &mut [Client<'_>], round: u16) {
        self.publish(rivals, round);
        self.assert_agreed();
        self.overwrite(rivals, round);
        self.assert_agreed();
        self.overwrite_twice(&mut rivals[0], round);
        self.assert_agreed();
        self.mix(rivals, round);
        self.assert_agreed();
        if round.is_multiple_of(3) {
            self.delete(rivals, round);
            self.assert_agreed();
        }
    }

    /// Without `overwrite` exactly one wins; the others get a 409.
    fn publish(&self, rivals: &mut [Client<'_>], round: u16) {
        let answers = Self::at_once(rivals, |rival, client| {
            let version = some_version(client, round, rival);
            let way = Way::ALL[client.random.below(3)];
            (
                version,
                client.publish(version, way, false, &[way.created(), 409]),
            )
        });
        let (lost, won): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|(_, answer)| answer.status == 409);
        assert_eq!(
            won.len(),
            1,
            "winners of {round}: {won:?}, losers: {lost:?}"
        );
        for (_, answer) in &lost {
            // The winner's checksum may not be written yet.
            let told = answer.json()["sha256"].clone();
            assert!(told.is_null() || told == won[0].0.sha256().hex(), "{told}");
        }
        let swept = won[0].1.json()["removed"].as_array().unwrap().len();
        self.tally.outcome("swept", swept);
        self.tally.outcome("wins", won.len());
        self.tally.outcome("conflicts", lost.len());
    }

    /// With `overwrite` all of them replace it, and the last one stays.
    fn overwrite(&self, rivals: &mut [Client<'_>], round: u16) {
        Self::at_once(rivals, |rival, client| {
            let version = some_version(client, round, 100 + rival);
            let way = Way::ALL[client.random.below(3)];
            client.publish(version, way, true, &[200, way.created()]);
        });
        self.tally.outcome("overwrites", rivals.len());
    }

    /// One client replaces it twice, so that the file system may reuse the inode.
    fn overwrite_twice(&self, rival: &mut Client<'_>, round: u16) {
        for serial in [110, 111] {
            let version = some_version(rival, round, serial);
            rival.publish(version, Way::Put, true, &[200]);
        }
        self.tally.outcome("overwrites", 2);
    }

    /// Each changes the last packages in another way.
    fn mix(&self, rivals: &mut [Client<'_>], round: u16) {
        let done = Self::at_once(rivals, |rival, client| {
            let number =
                round - u16::try_from(client.random.below(usize::from(round.min(4)))).unwrap();
            let version = some_version(client, number, 200 + u64::from(round % 256) * 8 + rival);
            match client.random.below(4) {
                0 => {
                    let status = client.publish(version, Way::Put, false, &[201, 409]).status;
                    if status == 409 {
                        "conflicts"
                    } else {
                        "published anew"
                    }
                }
                1 => {
                    let status = client.delete(&version.name(), &[204, 404]);
                    if status == 404 {
                        "deletes in vain"
                    } else {
                        "deletes"
                    }
                }
                _ => {
                    client.publish(version, Way::Form, true, &[200]);
                    "overwrites"
                }
            }
        });
        for outcome in done {
            self.tally.outcome(outcome, 1);
        }
    }

    /// One of them deletes it.
    fn delete(&self, rivals: &mut [Client<'_>], round: u16) {
        let version = some_version(&mut rivals[0], round, 3000);
        rivals[0].publish(version, Way::Put, true, &[200, 201]);
        let statuses = Self::at_once(rivals, |_, client| client.delete(&name(round), &[204, 404]));
        let deleted = statuses.iter().filter(|status| **status == 204).count();
        assert_eq!(deleted, 1, "{statuses:?}");
        self.tally.outcome("deletes", 1);
        self.tally.outcome("deletes in vain", statuses.len() - 1);
    }

    /// At rest: no more packages than the limit, nothing but packages and checksums, and every
    /// server lists exactly them.
    fn assert_agreed(&self) {
        let stored = self.directory.stored();
        let packages: HashMap<_, _> = stored
            .iter()
            .filter(|name| !name.ends_with(".sha256"))
            .map(|name| {
                let content = std::fs::read(self.directory.path().join(name)).unwrap();
                let version = Version::told_by(0, &content);
                assert!(version.has(0, &content) && version.length() == content.len());
                (name.clone(), Some(version))
            })
            .collect();
        assert!(packages.len() <= PACKAGES_MAX, "{stored:?}");
        assert_eq!(stored.len(), 2 * packages.len(), "{stored:?}");
        for server in self.servers {
            let list = server.get("/latest").json();
            let listed = listed_versions(list["assets"].as_array().unwrap(), latest_checksum);
            assert_eq!(listed, packages, "a list after all answers");
        }
        self.tally.outcome("directories compared", 1);
    }

    /// Lists through one server and downloads the listed packages through the next one.
    fn list_and_compare(&self, number: usize) {
        let mut client = Client::new(&self.servers[number], 0);
        let mut listed = HashMap::new();
        self.tally.attempt("listings", || {
            let answer = client.ask("GET /latest", "", &[200]);
            let release = answer.json();
            listed = listed_versions(release["assets"].as_array().unwrap(), latest_checksum);
            answer.body.len()
        });
        client.server = &self.servers[(number + 1) % self.servers.len()];
        for (name, version) in listed {
            self.tally.attempt("listed packages downloaded", || {
                let fetched = fetch(&mut client, &name, "", usize::MAX);
                let outcome = match &fetched {
                    None => "deleted meanwhile",
                    Some(fetched) if Some(fetched.version) == version => "as listed",
                    Some(_) => "replaced meanwhile",
                };
                self.tally.outcome(outcome, 1);
                fetched.map_or(0, |fetched| fetched.bytes)
            });
        }
    }
}

fn some_version(client: &mut Client<'_>, number: u16, serial: u64) -> Version {
    let length = STRETCH_BYTES_MIN + client.random.below(20_000);
    Version::new(number, serial, length)
}
