//! Clients that use every feature of the server in random order and check each answer.
//!
//! Each client has names of its own, whose exact state it knows, and shares others, which may hold
//! any version or none.

use crate::End;
use crate::client::{Client, Way};
use crate::fetch::{CUT_BYTES_MIN, Resumed, fetch, resume};
use crate::support::TestServer;
use crate::tally::Tally;
use crate::version::{STRETCH_BYTES_MIN, Version, name};
use serde_json::Value;
use std::collections::HashMap;

const OWN_NAMES: usize = 4;
const SHARED_NAMES: usize = 6;
/// Names under this number are shared.
const FIRST_OWN_NUMBER: usize = 100;

pub struct Traffic<'s> {
    client: Client<'s>,
    first_own: usize,
    /// The state of its own names.
    own: [Option<Version>; OWN_NAMES],
    serial: u64,
    content_bytes_max: usize,
    /// The tag of the last `/latest`, and the state of its own names at that time.
    latest: Option<(String, [Option<Version>; OWN_NAMES])>,
}

/// The name for an action: one of its own, by position, or a shared one.
#[derive(Clone, Copy)]
enum Target {
    Own(usize),
    Shared(usize),
}

impl<'s> Traffic<'s> {
    pub fn new(
        server: &'s TestServer,
        client: usize,
        phase: u64,
        content_bytes_max: usize,
    ) -> Self {
        let first_own = FIRST_OWN_NUMBER + client * OWN_NAMES;
        Self {
            client: Client::new(server, first_own as u64 + (phase << 32)),
            first_own,
            own: [None; OWN_NAMES],
            // Serial numbers differ among clients and phases, so that no content is published
            // twice.
            serial: (client as u64) << 16 | phase << 15,
            content_bytes_max,
            latest: None,
        }
    }

    /// Runs until the end.
    pub fn run(&mut self, tally: &Tally, end: End) {
        for own in 0..OWN_NAMES {
            self.client
                .delete(&self.name(Target::Own(own)), &[204, 404]);
        }
        while !end.is_reached() {
            self.step(tally);
        }
    }

    fn step(&mut self, tally: &Tally) {
        let target = self.target();
        let way = Way::ALL[self.client.random.below(3)];
        match self.client.random.below(20) {
            0..=2 => tally.attempt(
                match way {
                    Way::Form => "publish by form",
                    Way::Put => "publish by PUT, length known",
                    Way::Chunked => "publish by PUT, chunked",
                },
                || self.publish(target, way),
            ),
            3..=4 => tally.attempt("overwrite", || self.overwrite(target, way)),
            5 => tally.attempt("delete", || self.delete(target)),
            6..=9 => tally.attempt("download", || self.download(target)),
            10 => tally.attempt("download of a range", || self.range(target)),
            11 => tally.attempt("download, cut and resumed", || self.resume(target)),
            12 => tally.attempt("checksum", || self.checksum(target)),
            13 => tally.attempt("list, HTML", || self.list_html()),
            14 => tally.attempt("list, JSON", || self.list_json()),
            15..=16 => tally.attempt("/latest", || self.latest()),
            17..=18 => tally.attempt("/latest, If-None-Match", || self.latest_if_changed()),
            _ => tally.attempt("probes and metrics", || self.probe()),
        }
    }

    fn target(&mut self) -> Target {
        if self.client.random.once_in(2) {
            Target::Own(self.client.random.below(OWN_NAMES))
        } else {
            Target::Shared(self.client.random.below(SHARED_NAMES))
        }
    }

    fn number(&self, target: Target) -> u16 {
        let number = match target {
            Target::Own(own) => self.first_own + own,
            Target::Shared(shared) => shared,
        };
        u16::try_from(number).unwrap()
    }

    fn name(&self, target: Target) -> String {
        name(self.number(target))
    }

    fn version(&mut self, target: Target) -> Version {
        self.serial += 1;
        let random = &mut self.client.random;
        // Mostly small, like real packages.
        let limit = if random.once_in(10) {
            self.content_bytes_max
        } else {
            100_000
        };
        let length = CUT_BYTES_MIN + random.below(limit - CUT_BYTES_MIN);
        Version::new(self.number(target), self.serial, length)
    }

    /// Records the new state of one of its names, before the request: even a failed request may
    /// have taken effect.
    fn own_is(&mut self, target: Target, version: Option<Version>) {
        if let Target::Own(own) = target {
            self.own[own] = version;
        }
    }

    fn publish(&mut self, target: Target, way: Way) -> usize {
        let version = self.version(target);
        let there = match target {
            Target::Own(own) => self.own[own],
            Target::Shared(_) => {
                let answer = self
                    .client
                    .publish(version, way, false, &[way.created(), 409]);
                return if answer.status == 409 {
                    0
                } else {
                    version.length()
                };
            }
        };
        if let Some(there) = there {
            let answer = self.client.publish(version, way, false, &[409]);
            assert_eq!(answer.json()["sha256"], there.sha256().hex());
            return 0;
        }
        self.own_is(target, Some(version));
        self.client.publish(version, way, false, &[way.created()]);
        version.length()
    }

    fn overwrite(&mut self, target: Target, way: Way) -> usize {
        let version = self.version(target);
        let allowed = match target {
            Target::Own(own) if self.own[own].is_some() => &[200][..],
            Target::Own(_) => &[way.created()],
            Target::Shared(_) => &[200, way.created()],
        };
        self.own_is(target, Some(version));
        self.client.publish(version, way, true, allowed);
        version.length()
    }

    fn delete(&mut self, target: Target) -> usize {
        let allowed = match target {
            Target::Own(own) if self.own[own].is_some() => &[204][..],
            Target::Own(_) => &[404],
            Target::Shared(_) => &[204, 404],
        };
        let name = self.name(target);
        self.own_is(target, None);
        self.client.delete(&name, allowed);
        0
    }

    /// Asserts that a name has a state that it may have.
    fn assert_found(&self, target: Target, found: Option<Version>) {
        if let Target::Own(own) = target {
            assert_eq!(found, self.own[own]);
        }
    }

    fn download(&mut self, target: Target) -> usize {
        let name = self.name(target);
        let fetched = fetch(&mut self.client, &name, "", usize::MAX);
        self.assert_found(target, fetched.as_ref().map(|fetched| fetched.version));
        fetched.map_or(0, |fetched| fetched.bytes)
    }

    fn range(&mut self, target: Target) -> usize {
        let name = self.name(target);
        // Within the least content, so that every content has such a range.
        let first = self.client.random.below(CUT_BYTES_MIN - STRETCH_BYTES_MIN);
        let last = first + STRETCH_BYTES_MIN - 1 + self.client.random.below(50_000);
        let headers = format!("Range: bytes={first}-{last}\r\n");
        let fetched = fetch(&mut self.client, &name, &headers, usize::MAX);
        self.assert_found(target, fetched.as_ref().map(|fetched| fetched.version));
        fetched.map_or(0, |fetched| {
            assert_eq!((fetched.status, fetched.from), (206, first));
            fetched.bytes
        })
    }

    fn resume(&mut self, target: Target) -> usize {
        let name = self.name(target);
        let (bytes, resumed) = resume(&mut self.client, &name, 100_000);
        if let Target::Own(own) = target {
            let is_there = self.own[own].is_some();
            assert_eq!(resumed == Resumed::Continued, is_there);
        }
        bytes
    }

    fn checksum(&mut self, target: Target) -> usize {
        let own = match target {
            Target::Own(own) => Some(self.own[own]),
            Target::Shared(_) => None,
        };
        let allowed = match own {
            Some(Some(_)) => &[200][..],
            Some(None) => &[404],
            // 503: just replaced, and the new checksum is not written yet.
            None => &[200, 404, 503],
        };
        let name = self.name(target);
        let answer = self
            .client
            .ask(&format!("GET /assets/{name}.sha256"), "", allowed);
        if answer.status == 200 {
            let text = answer.text();
            let version = Version::of_checksum(&text[..64]);
            assert_eq!(text[64..], format!("  {}\n", version.name()));
            assert_eq!(version.name(), name);
            self.assert_found(target, Some(version));
        }
        answer.body.len()
    }

    fn list_html(&mut self) -> usize {
        let page = self.client.ask("GET /packages", "", &[200]).text();
        for own in 0..OWN_NAMES {
            let is_listed = page.contains(&self.name(Target::Own(own)));
            assert_eq!(is_listed, self.own[own].is_some(), "{page}");
        }
        page.len()
    }

    fn list_json(&mut self) -> usize {
        let answer = self.client.ask("GET /packages?format=json", "", &[200]);
        let list = answer.json();
        self.assert_listed(list.as_array().unwrap(), |package| {
            package["sha256"].as_str()
        });
        answer.body.len()
    }

    fn latest(&mut self) -> usize {
        let answer = self.client.ask("GET /latest", "", &[200]);
        let release = answer.json();
        self.assert_listed(release["assets"].as_array().unwrap(), latest_checksum);
        self.latest = Some((answer.header("etag").to_owned(), self.own));
        answer.body.len()
    }

    fn latest_if_changed(&mut self) -> usize {
        let Some((etag, own)) = self.latest.clone() else {
            return self.latest();
        };
        let headers = format!("If-None-Match: {etag}\r\n");
        let answer = self.client.ask("GET /latest", &headers, &[200, 304]);
        if answer.status == 304 {
            assert_eq!(own, self.own, "a change of its own does not show");
            return 0;
        }
        let release = answer.json();
        self.assert_listed(release["assets"].as_array().unwrap(), latest_checksum);
        self.latest = Some((answer.header("etag").to_owned(), self.own));
        answer.body.len()
    }

    /// Asserts that a listing shows its own packages exactly, and only published versions of all
    /// others.
    fn assert_listed(&self, list: &[Value], checksum: impl Fn(&Value) -> Option<&str>) {
        let listed = listed_versions(list, checksum);
        for own in 0..OWN_NAMES {
            let found = listed.get(&self.name(Target::Own(own)));
            self.assert_found(Target::Own(own), found.map(|version| version.unwrap()));
        }
    }

    fn probe(&mut self) -> usize {
        for (path, words) in [
            ("/healthz", "OK"),
            ("/health", "{\"status\":\"ok\"}"),
            ("/readyz", "OK"),
            ("/metrics", "release_server_handler_panics_total 0\n"),
        ] {
            let answer = self.client.ask(&format!("GET {path}"), "", &[200]);
            assert!(answer.text().contains(words), "{path}: {}", answer.text());
        }
        0
    }
}

pub fn latest_checksum(asset: &Value) -> Option<&str> {
    asset["digest"]
        .as_str()
        .map(|digest| digest.strip_prefix("sha256:").unwrap())
}

/// The state shown by a listing: for each name the version of its checksum, or none while that is
/// pending. Asserts that name, size and checksum of each line belong together.
pub fn listed_versions(
    list: &[Value],
    checksum: impl Fn(&Value) -> Option<&str>,
) -> HashMap<String, Option<Version>> {
    let of = |package: &Value| {
        let name = package["name"].as_str().unwrap().to_owned();
        let version = checksum(package).map(Version::of_checksum);
        if let Some(version) = version {
            assert_eq!(
                (&version.name(), &package["size"]),
                (&name, &version.length().into())
            );
        }
        (name, version)
    };
    list.iter().map(of).collect()
}
