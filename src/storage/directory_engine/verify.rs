//! Reads every package and compares it with its sidecar.
//!
//! Invariants:
//! - Packages are only read. A sidecar is written only where none counts, under the directory's
//!   lock, for the very file that was read; so this may run beside servers.
//! - A sidecar that counts and disagrees is reported and left alone. The package was hashed as it
//!   was written, and neither file was modified since, as far as their times show: most likely the
//!   bytes changed on the disk. A new checksum would make damaged bytes look right for good.
//! - A difference is checked again under the lock, so that a publish in progress is not reported.
//!
//! Source: docs/contract.md, section 4.

use super::leftovers;
use super::lock::{DirLock, LockKeeper};
use super::missing_checksums::checksum;
use super::scan::{self, Warned};
use super::sidecar::{self, Fault};
use crate::checksum::Sha256;
use crate::limits::LOCK_WAIT_MAX;
use crate::storage::content::Content;
use crate::storage::directory::{Directory, Entry, state_of};
use crate::storage::error::{Result, StorageError, errno, failed};
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::package::{Package, PackageState};
use crate::storage::verification::{Event, Notify, Progress};
use rustix::io::Errno;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A package that changes while it is read is read again up to so many times.
const ATTEMPTS_MAX: usize = 3;

#[derive(Debug)]
enum Finding {
    /// No sidecar counts; with the result of the repair where one was requested.
    NoChecksum(Fault, Option<Result<()>>),
    /// The sidecar counts, and the bytes are others.
    Damaged {
        /// The checksum in the sidecar.
        stated: Sha256,
        /// The checksum of the bytes.
        actual: Sha256,
    },
    Unreadable(Errno),
    /// There is a sidecar without a package.
    NoPackage,
    /// The comparison failed.
    Unknown(StorageError),
}

impl Finding {
    fn is_repaired(&self) -> bool {
        matches!(self, Self::NoChecksum(_, Some(Ok(()))))
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoChecksum(fault, None) => fault.fmt(f),
            Self::NoChecksum(fault, Some(Ok(()))) => write!(f, "{fault}; repaired"),
            Self::NoChecksum(fault, Some(Err(error))) => write!(f, "{fault}; {error}"),
            Self::Damaged { stated, actual } => write!(
                f,
                "damaged: the checksum is {}, the bytes have {}",
                stated.hex(),
                actual.hex()
            ),
            Self::Unreadable(error) => write!(f, "the package cannot be read: {error}"),
            Self::NoPackage => f.write_str("the package is missing, its checksum is there"),
            Self::Unknown(error) => error.fmt(f),
        }
    }
}

struct Verifier<'v> {
    path: PathBuf,
    directory: Directory,
    lock: LockKeeper,
    repair: bool,
    progress: Progress,
    notify: Notify<'v>,
}

/// Compares all packages in the directory at `path`; with `repair`, writes missing sidecars.
pub fn verify(path: &Path, repair: bool, notify: Notify<'_>) -> Result<Progress> {
    let directory = Directory::open(path)?;
    let mut unreadable = Vec::new();
    let packages = scan::scan(
        &directory,
        &Listing::default(),
        &Warned::default(),
        &mut |name, error| unreadable.push((name.clone(), error)),
    )?;
    let packages = Listing::new(packages.unwrap_or_default(), 0);
    let mut verifier = Verifier {
        path: path.to_owned(),
        directory,
        lock: LockKeeper::start(path).map_err(|error| failed("lock", path)(errno(&error)))?,
        repair,
        progress: Progress {
            packages_total: packages.packages().len(),
            bytes_total: packages
                .packages()
                .iter()
                .map(|package| package.state.size)
                .sum(),
            ..Progress::default()
        },
        notify,
    };
    for (name, error) in unreadable {
        verifier.found(name.as_str(), &Finding::Unknown(error));
    }
    for package in packages.by_name() {
        verifier.package(package);
    }
    verifier.catalogs(&packages);
    verifier.orphans()?;
    Ok(verifier.progress)
}

impl Verifier<'_> {
    fn found(&mut self, name: &str, finding: &Finding) {
        if finding.is_repaired() {
            self.progress.repaired += 1;
        } else {
            self.progress.wrong += 1;
        }
        (self.notify)(Event::Found(name, finding), &self.progress);
    }

    fn package(&mut self, package: &Package) {
        let mut finding = None;
        for _ in 0..ATTEMPTS_MAX {
            finding = self.compare(&package.name).err();
            if !matches!(finding, Some(Finding::NoChecksum(Fault::PackageChanged, _))) {
                break;
            }
        }
        self.progress.packages += 1;
        if let Some(finding) = finding {
            self.found(package.name.as_str(), &finding);
        }
    }

    /// Compares a package with its sidecar. A package that no longer exists is right.
    fn compare(&mut self, name: &PackageName) -> std::result::Result<(), Finding> {
        const CHANGED: Finding = Finding::NoChecksum(Fault::PackageChanged, None);
        let file = match self.directory.open_file(name.as_str()) {
            Err(Errno::NOENT) => return Ok(()),
            file => file.map_err(Finding::Unreadable)?,
        };
        let Entry::File(state) = state_of(&file).map_err(Finding::Unreadable)? else {
            return Err(CHANGED);
        };
        let Self {
            progress, notify, ..
        } = self;
        let sha256 = checksum(&file, &state, &mut |bytes| {
            progress.bytes += bytes;
            notify(Event::Read, progress);
            ControlFlow::Continue(())
        });
        let sha256 = sha256
            .map_err(|error| Finding::Unreadable(errno(&error)))?
            .ok_or(CHANGED)?;
        if sidecar::read(&self.directory, name, &state) == Ok(sha256) {
            return Ok(());
        }
        self.compare_locked(name, &state, sha256)
    }

    fn compare_locked(
        &mut self,
        name: &PackageName,
        state: &PackageState,
        actual: Sha256,
    ) -> std::result::Result<(), Finding> {
        let lock = self.lock.acquire(LOCK_WAIT_MAX).map_err(Finding::Unknown)?;
        let directory = lock.directory();
        if directory.entry(name.as_str()).map_err(Finding::Unknown)? != Some(Entry::File(*state)) {
            return Err(Finding::NoChecksum(Fault::PackageChanged, None));
        }
        match sidecar::read(directory, name, state) {
            Ok(stated) if stated == actual => Ok(()),
            Ok(stated) => Err(Finding::Damaged { stated, actual }),
            Err(fault) => {
                let repaired = (self.repair && fault != Fault::PackageChanged)
                    .then(|| self.repair_checksum(&lock, name, state, actual));
                Err(Finding::NoChecksum(fault, repaired))
            }
        }
    }

    fn repair_checksum(
        &self,
        lock: &DirLock,
        name: &PackageName,
        state: &PackageState,
        sha256: Sha256,
    ) -> Result<()> {
        let sidecar = sidecar::prepare(&self.path, sha256, state.modified)?;
        sidecar::place_missing(lock, name, state, sidecar)
    }

    /// Reports the packages of spec-kit that catalogs leave out, which is not a fault.
    fn catalogs(&mut self, packages: &Listing) {
        let read = packages.by_name().iter().filter_map(|package| {
            let name = package.name.as_str();
            let file = self.directory.open_file(name).ok()?;
            let content = Content::read(name, &file);
            Some(Arc::new(Package {
                content,
                ..Package::clone(package)
            }))
        });
        let packages = Listing::new(read.collect(), 0);
        let duplicates = packages.selection().duplicates;
        for package in packages.by_name() {
            let name = package.name.as_str();
            let recognised = package.content.recognised();
            let unlisted = recognised.and_then(|it| it.unlisted(duplicates.contains(name)));
            if let Some(unlisted) = unlisted {
                (self.notify)(Event::Unlisted(name, &unlisted), &self.progress);
            }
        }
    }

    /// Reports sidecars without a package. Servers remove them, so they are seen only while no
    /// server runs.
    fn orphans(&mut self) -> Result<()> {
        if leftovers::orphans(&self.directory)?.is_empty() {
            return Ok(());
        }
        let lock = self.lock.acquire(LOCK_WAIT_MAX)?;
        for name in leftovers::orphans(lock.directory())? {
            // A name that no package can have was not lost.
            if PackageName::parse(&name).is_ok() {
                self.found(&name, &Finding::NoPackage);
            }
        }
        Ok(())
    }
}
