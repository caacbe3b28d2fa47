//! Making a group of changes: under one lock, with one sync of the directory.
//!
//! Invariant: a package's name stands for a complete, synced file, and no wrong checksum is ever
//! beside it. The steps, and what a crash right after each leaves:
//!
//! 1. A temporary file takes the bytes of an upload, which are hashed on the way; its modification
//!    time is set, it is synced, and the new sidecar is written, which has no name. (Leftovers at
//!    most.)
//! 2. The directory's lock is taken. (The same; the lock ends with the process.)
//! 3. Change by change, in the order of their arrival: an old sidecar is removed, durably where it
//!    is not older than the file, and the file is linked or renamed into place, or the package is
//!    removed. (The old or the new package, whole; without a checksum where it changed, which is
//!    computed later.)
//! 4. The directory is synced. (The new packages, without checksums.)
//! 5. The new sidecars get their names. (The new packages.)
//! 6. Retention goes through the changes in their order. (The new packages, and too many packages
//!    until the next publish.)
//! 7. The directory gets another generation, the listing is entered, and all changes are answered.
//!
//! A loss of power before step 4 may undo any part of step 3. A new sidecar has its name only after
//! its package is durable under the name, so it never stands beside other bytes. A loss of power
//! after step 4 may undo any part of steps 5 and 6, and cut the new sidecars, which do not count
//! then. `tests/black_box/faults/power_loss` tries these states.
//!
//! Source: docs/contract.md, section 4.

use super::cache::{Change, ListingCache};
use super::lock::DirLock;
use super::open;
use super::owed::OwedSidecars;
use super::ready::{Answer, ReadyChange};
use super::removal::{self, Kept};
use super::sidecar;
use super::synced_upload::SyncedUpload;
use crate::storage::change::{self, Delete, Publish, Published};
use crate::storage::content::Content;
use crate::storage::directory::{Entry, state_of};
use crate::storage::error::{Result, StorageError, failed};
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use crate::storage::retention::Retention;
use crate::storage::temporary::TemporaryFile;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parts of the store that a change works with.
#[derive(Debug)]
pub struct Parts {
    pub retention: Retention,
    pub cache: Arc<ListingCache>,
    pub owed: Arc<OwedSidecars>,
}

/// Makes the changes, whose answers the caller sends.
pub fn make(parts: &Parts, lock: &DirLock, changes: Vec<ReadyChange>) -> Vec<Answer> {
    let change = match parts.cache.begin(lock) {
        Ok(change) => change,
        Err(error) => {
            let refuse = |change: ReadyChange| change.refuse(error.clone());
            return changes.into_iter().map(refuse).collect();
        }
    };
    let mut group = Group {
        parts,
        lock,
        change,
        names: BTreeMap::new(),
    };
    let mut answers: Vec<_> = changes.into_iter().map(|one| group.make(one)).collect();
    group.finish(&mut answers);
    answers
}

struct Group<'g> {
    parts: &'g Parts,
    lock: &'g DirLock,
    change: Change<'g>,
    /// What became of the names that the group changed.
    names: BTreeMap<PackageName, ChangedName>,
}

struct ChangedName {
    /// No package had the name before the group.
    is_new: bool,
    /// `None` for a removed package.
    placed: Option<Placed>,
}

/// A package that has its name, and its sidecar that does not have one yet.
struct Placed {
    package: Arc<Package>,
    /// `None` once it was taken, or where the name may stand for other bytes meanwhile.
    sidecar: Option<Result<TemporaryFile>>,
}

impl Group<'_> {
    /// Step 3, for one change.
    fn make(&mut self, change: ReadyChange) -> Answer {
        match change {
            ReadyChange::Publish(publish, upload) => {
                let result = self.publish(&publish, upload);
                Answer::Publish(result, publish.done)
            }
            ReadyChange::Delete(delete) => {
                let result = self.delete(&delete).map(|()| delete.name);
                Answer::Delete(result, delete.done)
            }
        }
    }

    /// The package that has the name now.
    fn current(&self, name: &PackageName) -> Result<Option<Package>> {
        let directory = self.lock.directory();
        let state = match directory.entry(name.as_str())? {
            None => return Ok(None),
            Some(Entry::Other) => return Err(StorageError::Occupied),
            Some(Entry::File(state)) => state,
        };
        let changed = self.names.get(name).and_then(|name| name.placed.as_ref());
        let sha256 = match changed {
            Some(placed) if placed.package.state == state => placed.package.sha256,
            _ => open::checksum(directory, self.change.before(), name, &state),
        };
        Ok(Some(Package {
            name: name.clone(),
            state,
            sha256,
            content: Content::Unread,
        }))
    }

    fn publish(&mut self, publish: &Publish, upload: SyncedUpload) -> Result<Published> {
        let name = &publish.name;
        let current = self.current(name)?;
        publish.requirement.check(current.as_ref())?;
        self.check_listed(publish, &upload)?;
        let replaced = current.is_some();
        self.change.touch();
        let package = self.place(name, replaced, upload);
        let package = package.inspect_err(|_| self.change.doubt())?;
        Ok(Published {
            package,
            replaced,
            removed: Vec::new(),
        })
    }

    /// Gives an upload its name.
    fn place(
        &mut self,
        name: &PackageName,
        replaced: bool,
        upload: SyncedUpload,
    ) -> Result<Arc<Package>> {
        let SyncedUpload {
            sha256,
            content,
            mut temporary,
            sidecar,
        } = upload;
        let directory = self.lock.directory();
        let shown = directory.path(name.as_str());
        let removed = self.remove_sidecar(name, &temporary);
        let placed = removed.and_then(|()| {
            let placed = if replaced {
                temporary.replace(directory, name.as_str())
            } else {
                temporary.place_new(directory, name.as_str())
            };
            placed.map_err(|error| match error {
                // Created by hand since the check a moment ago.
                Errno::EXIST => StorageError::Exists(None),
                error => failed("publish", &shown)(error),
            })
        });
        if let Err(error) = placed {
            // The old package stays and gets its sidecar back.
            if !self.names.contains_key(name) {
                let before = self.change.before().get(name.as_str());
                self.parts.owed.extend(before.cloned());
            }
            return Err(error);
        }
        let state = match state_of(&temporary.file) {
            Ok(Entry::File(state)) => state,
            Ok(Entry::Other) => return Err(StorageError::NotFound),
            Err(error) => {
                self.give_up(name, replaced);
                return Err(failed("look at", &shown)(error));
            }
        };
        let package = Arc::new(Package {
            name: name.clone(),
            state,
            sha256: Some(sha256),
            content,
        });
        let placed = Some(Placed {
            package: Arc::clone(&package),
            sidecar: Some(sidecar),
        });
        let is_new = self.names.get(name).map_or(!replaced, |name| name.is_new);
        let changed = ChangedName { is_new, placed };
        self.names.insert(name.clone(), changed);
        Ok(package)
    }

    /// Checks what catalogs would say, against the other packages after the group's changes so far.
    fn check_listed(&self, publish: &Publish, upload: &SyncedUpload) -> Result<()> {
        if !publish.requirement.listed {
            return Ok(());
        }
        let (mut removed, mut added) = (vec![publish.name.clone()], Vec::new());
        for (name, changed) in &self.names {
            match &changed.placed {
                Some(placed) if *name != publish.name => added.push(Arc::clone(&placed.package)),
                _ => removed.push(name.clone()),
            }
        }
        let others = self.change.before().changed(&removed, &added, 0);
        let requirement = &publish.requirement;
        requirement.check_listed(&publish.name, &upload.content, upload.sha256, &others)
    }

    fn delete(&mut self, delete: &Delete) -> Result<()> {
        let name = &delete.name;
        let current = match self.current(name) {
            Ok(Some(current)) => current,
            Ok(None) | Err(StorageError::Occupied) => return Err(StorageError::NotFound),
            Err(error) => return Err(error),
        };
        change::check(delete.precondition.as_ref(), Some(&current))?;
        self.change.touch();
        removal::remove(self.lock, name).inspect_err(|_| self.change.doubt())?;
        let is_new = self.names.get(name).is_some_and(|name| name.is_new);
        let placed = None;
        self.names
            .insert(name.clone(), ChangedName { is_new, placed });
        Ok(())
    }

    /// Removes the sidecar of the package that an upload replaces. One that would count beside the
    /// new bytes is removed durably: a loss of power may undo its removal and keep the new name.
    fn remove_sidecar(&self, name: &PackageName, upload: &TemporaryFile) -> Result<()> {
        let would_count = sidecar::would_count(self.lock.directory(), name, &upload.file)?;
        sidecar::remove(self.lock, name)?;
        // What the group removed before is not durable either.
        if would_count || self.names.contains_key(name) {
            self.lock.directory().sync()?;
        }
        Ok(())
    }

    /// Ends a publish that failed after its file got the name. In place of another package the new
    /// one stays: it is whole, and the group may have published the other one.
    fn give_up(&mut self, name: &PackageName, replaced: bool) {
        if !replaced {
            return self.take_back(name);
        }
        let changed = self.names.get_mut(name);
        if let Some(before) = changed.and_then(|changed| changed.placed.as_mut()) {
            before.sidecar = None;
        }
    }

    /// Removes a package that is new and must not exist after an error.
    fn take_back(&self, name: &PackageName) {
        if let Err(error) = removal::remove(self.lock, name) {
            log::error!(
                package = name.as_str(), error:% = error;
                "a failed upload could not be removed"
            );
        }
    }

    /// Steps 4 to 7.
    fn finish(mut self, answers: &mut [Answer]) {
        if self.names.is_empty() {
            return;
        }
        if let Err(error) = self.lock.directory().sync() {
            // A replaced package is whole, whichever version a loss of power leaves.
            for (name, changed) in &self.names {
                if changed.is_new && changed.placed.is_some() {
                    self.take_back(name);
                }
            }
            for answer in answers {
                answer.fail(&error);
            }
            return;
        }
        self.place_sidecars();
        if self.parts.retention.is_limited() {
            self.apply_retention(answers);
        }
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for (name, changed) in self.names {
            match changed.placed {
                Some(placed) => added.push(placed.package),
                None => removed.push(name),
            }
        }
        self.change.commit(&removed, &added);
    }

    fn place_sidecars(&mut self) {
        for (name, changed) in &mut self.names {
            let Some(placed) = &mut changed.placed else {
                continue;
            };
            let Some(sidecar) = placed.sidecar.take() else {
                continue;
            };
            let written = sidecar.and_then(|sidecar| sidecar::place(self.lock, name, sidecar));
            if let Err(error) = written {
                log::warn!(
                    package = name.as_str(), error:% = error;
                    "the checksum file could not be written; the server tries again"
                );
                self.parts.owed.extend([Arc::clone(&placed.package)]);
            }
        }
    }

    /// Removes what each publish would have removed if the changes had been made one by one.
    fn apply_retention(&mut self, answers: &mut [Answer]) {
        let before = Arc::clone(self.change.before());
        let mut kept = Kept::new(&before);
        for answer in answers {
            match answer {
                Answer::Delete(Ok(name), _) => kept.remove(name),
                Answer::Publish(Ok(published), _) => {
                    kept.add(&published.package);
                    let retention = &self.parts.retention;
                    published.removed = kept.apply(self.lock, retention, &published.package);
                    for name in &published.removed {
                        let is_new = false;
                        let placed = None;
                        self.names
                            .insert(name.clone(), ChangedName { is_new, placed });
                    }
                }
                _ => {}
            }
        }
    }
}
