//! Listings made of names, for the properties of what is rendered from them.

use release_server::checksum::Sha256;
use release_server::storage::PackageState;
use release_server::storage::{Content, Listing, Package, PackageName};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

const PACKAGES_MAX: usize = 8;

/// A listing of the names that packages may have; every second one has a checksum.
pub fn of_names<'n>(names: impl Iterator<Item = &'n str>) -> Listing {
    let names: BTreeSet<PackageName> = names
        .filter_map(|name| PackageName::parse(name).ok())
        .take(PACKAGES_MAX)
        .collect();
    let package = |(number, name): (u64, PackageName)| {
        let time = UNIX_EPOCH + Duration::from_secs(number % 3);
        let hex = format!("{number:064x}");
        Arc::new(Package {
            state: PackageState {
                identity: number,
                size: name.as_str().len() as u64,
                modified: time,
                changed: time,
            },
            name,
            sha256: (number % 2 == 0).then(|| Sha256::from_hex(hex.as_bytes()).expect("64 digits")),
            content: Content::Plain,
        })
    };
    Listing::new((1..).zip(names).map(package).collect(), 1)
}
