//! Reads every package and compares it with its sidecar.
//!
//! Invariants:
//! - Packages are only read. A sidecar is written only where none counts, under the directory's lock, for the very file
//!   that was read; so this may run beside servers.
//! - A sidecar that counts and disagrees is told and left alone. Its package was written whole and hashed on the way, and
//!   nothing has touched either since, as far as their times tell: what changed is most likely the bytes, on the disk.
//!   A new checksum would make damaged bytes look right for good.
//! - What a running server is about to put right is not told: a difference is looked at again under the lock.
//!
//! Source: the project's contract, section 4.

use super::directory::{Directory, Entry, FileState, state_of};
use super::error::{Result, errno};
use super::heal;
use super::leftovers;
use super::listing::{Listing, Package};
use super::lock::LockKeeper;
use super::name::PackageName;
use super::scan::{self, Warned};
use super::sidecar::{self, Fault};
use crate::checksum::Sha256;
use rustix::io::Errno;
use std::path::Path;

/// How often a package is read anew that changes meanwhile.
const ATTEMPTS_MAX: usize = 3;

/// What is wrong with a package.
#[derive(Debug)]
pub enum Finding {
    /// No sidecar counts; where a repair was asked for, what came of it.
    NoChecksum(Fault, Option<Result<()>>),
    /// The sidecar counts, and the bytes are others.
    Damaged {
        /// What the sidecar says.
        stated: Sha256,
        /// What the bytes have.
        found: Sha256,
    },
    /// The package cannot be read.
    Unreadable(Errno),
    /// A sidecar is all there is.
    NoPackage,
    /// It could not be looked at closely enough.
    Unknown(super::StorageError),
}

impl Finding {
    /// Whether all is right by now.
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
            Self::Damaged { stated, found } => write!(
                f,
                "damaged: the checksum is {}, the bytes have {}",
                stated.hex(),
                found.hex()
            ),
            Self::Unreadable(error) => write!(f, "the package cannot be read: {error}"),
            Self::NoPackage => f.write_str("the package is missing, its checksum is there"),
            Self::Unknown(error) => error.fmt(f),
        }
    }
}

/// How far it has come; in the end, what it came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Packages that were compared.
    pub packages: usize,
    /// All of them.
    pub packages_total: usize,
    /// Bytes that were read.
    pub bytes: u64,
    /// All of them, as far as is known.
    pub bytes_total: u64,
    /// What was wrong and still is.
    pub wrong: usize,
    /// What was repaired.
    pub repaired: usize,
}

/// What whoever asked is told on the way.
pub enum Event<'e> {
    /// More was read.
    Read,
    /// Something is, or was, wrong with the package of this name.
    Found(&'e str, &'e Finding),
}

struct Verifier<'v> {
    directory: Directory,
    lock: LockKeeper,
    repair: bool,
    progress: Progress,
    tell: &'v mut dyn FnMut(Event<'_>, &Progress),
}

/// Compares all packages in the directory at `path`, and gives those their checksum that have none where `repair` says
/// so.
pub fn verify(
    path: &Path,
    repair: bool,
    tell: &mut dyn FnMut(Event<'_>, &Progress),
) -> Result<Progress> {
    let directory = Directory::open(path)?;
    let packages = scan::scan(&directory, &Listing::default(), &Warned::default())?;
    let packages = Listing::new(packages.unwrap_or_default(), 0);
    let mut verifier = Verifier {
        directory,
        lock: LockKeeper::start(path)
            .map_err(|error| super::error::failed("lock", path)(errno(&error)))?,
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
        tell,
    };
    for package in packages.by_name() {
        verifier.package(package);
    }
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
        (self.tell)(Event::Found(name, finding), &self.progress);
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

    /// Reads a package and its sidecar. One that is gone is right.
    fn compare(&mut self, name: &PackageName) -> std::result::Result<(), Finding> {
        const CHANGED: Finding = Finding::NoChecksum(Fault::PackageChanged, None);
        let file = match self.directory.open_file(name.as_str()) {
            Err(Errno::NOENT) => return Ok(()),
            file => file.map_err(Finding::Unreadable)?,
        };
        let Entry::File(state) = state_of(&file).map_err(Finding::Unreadable)? else {
            return Err(CHANGED);
        };
        let Self { progress, tell, .. } = self;
        let sha256 = heal::checksum(&file, &state, &mut |bytes| {
            progress.bytes += bytes;
            tell(Event::Read, progress);
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
        &self,
        name: &PackageName,
        state: &FileState,
        found: Sha256,
    ) -> std::result::Result<(), Finding> {
        let lock = self.lock.acquire().map_err(Finding::Unknown)?;
        let directory = lock.directory();
        if directory.entry(name.as_str()).map_err(Finding::Unknown)? != Some(Entry::File(*state)) {
            return Err(Finding::NoChecksum(Fault::PackageChanged, None));
        }
        match sidecar::read(directory, name, state) {
            Ok(stated) if stated == found => Ok(()),
            Ok(stated) => Err(Finding::Damaged { stated, found }),
            Err(fault) => {
                let repaired = (self.repair && fault != Fault::PackageChanged)
                    .then(|| sidecar::write_missing(&lock, name, state, found));
                Err(Finding::NoChecksum(fault, repaired))
            }
        }
    }

    /// Sidecars without a package: servers remove them, so they are seen only while none runs.
    fn orphans(&mut self) -> Result<()> {
        if leftovers::orphans(&self.directory)?.is_empty() {
            return Ok(());
        }
        let lock = self.lock.acquire()?;
        for name in leftovers::orphans(lock.directory())? {
            // Other names than a package's are nobody's loss.
            if PackageName::parse(&name).is_ok() {
                self.found(&name, &Finding::NoPackage);
            }
        }
        Ok(())
    }
}
