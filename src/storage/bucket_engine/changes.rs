//! Publishing and deleting in the bucket.
//!
//! A publish is one PUT from the spool. The store decides who creates a name; a server recognises
//! its own object by the random number of the upload, so an answer that is lost does no harm. Then
//! the refresh thread lists the bucket, removes what retention does not keep, notifies the other
//! servers and answers.
//!
//! Invariants:
//! - Bytes and digest are stored in one request.
//! - Changes of one name by this server are made one after the other.
//! - Every change gets exactly one answer.

use super::admission::{Admission, Ticket};
use super::faults;
use super::file_cache::FileCache;
use super::finishing::Finishing;
use super::jobs::{Jobs, guarded};
use super::object::{self, Object};
use super::view::View;
use crate::clock;
use crate::limits::bucket::PUT_ATTEMPTS_MAX;
use crate::s3::{Bucket, Condition, Content, Head, Put, S3ErrorKind};
use crate::storage::change::{self, Delete, Overwrite, Publish, Published};
use crate::storage::error::{Result, StorageError};
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use crate::storage::upload::CompleteUpload;
use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A package is never older than the newest one in the list, unless that is further ahead of this
/// server's clock than this.
const CLOCK_DIFFERENCE_MAX: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Changes {
    pub bucket: Arc<Bucket>,
    pub view: Arc<View>,
    pub cache: Arc<FileCache>,
    pub transfers: Arc<Jobs>,
    pub admission: Admission,
    /// Whether the store lets only one of several requests create a name.
    pub creates_atomically: bool,
    pub names: BusyNames,
}

/// The names that are being changed.
#[derive(Debug, Default)]
pub struct BusyNames {
    names: Mutex<HashSet<PackageName>>,
    freed: Condvar,
}

struct BusyName<'n>(&'n BusyNames, &'n PackageName);

impl BusyNames {
    /// Waits until no other thread changes this name.
    fn take<'n>(&'n self, name: &'n PackageName) -> BusyName<'n> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let is_busy = |names: &mut HashSet<PackageName>| names.contains(name);
        let waited = self.freed.wait_while(names, is_busy);
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.clone());
        BusyName(self, name)
    }
}

impl Drop for BusyName<'_> {
    fn drop(&mut self) {
        let BusyName(busy, name) = self;
        let mut names = busy.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(*name);
        busy.freed.notify_all();
    }
}

/// What a PUT came to.
enum Outcome {
    /// The object is stored, with this entity tag.
    Stored(Arc<str>),
    /// Another object has the name.
    Taken(Head),
    /// The name was free when it was looked at again.
    Free,
}

impl Changes {
    pub fn publish(self: &Arc<Self>, upload: CompleteUpload, publish: Publish) {
        let ticket = match self.admission.admit(upload.size) {
            Ok(ticket) => ticket,
            Err(error) => return (publish.done)(Err(error)),
        };
        let changes = Arc::clone(self);
        self.transfers.push(Box::new(move || {
            changes.make_publish(upload, publish, ticket);
        }));
    }

    fn make_publish(&self, upload: CompleteUpload, publish: Publish, ticket: Ticket) {
        let busy = self.names.take(&publish.name);
        let stored = self.store(&upload, &publish);
        drop(busy);
        let (object, replaced) = match stored {
            Ok(stored) => stored,
            Err(error) => {
                drop(ticket);
                return (publish.done)(Err(error));
            }
        };
        let (package, done) = (object.package, publish.done);
        let published = Arc::clone(&package);
        self.view.finish(Finishing {
            published: Some(published),
            answer: Box::new(move |removed| {
                drop(ticket);
                done(Ok(Published {
                    package,
                    replaced,
                    removed,
                }));
            }),
        });
        self.cache_upload(upload);
    }

    /// Stores the upload under its name; whether it replaced another package.
    fn store(&self, upload: &CompleteUpload, publish: &Publish) -> Result<(Object, bool)> {
        let (name, requirement) = (&publish.name, &publish.requirement);
        let modified = self.next_time();
        let number = object::random_number();
        let mut is_own_refused = false;
        for _ in 0..PUT_ATTEMPTS_MAX {
            let may_replace = requirement.overwrite == Overwrite::Yes;
            let is_plain = !may_replace && requirement.precondition.is_none();
            let current = if is_plain && self.creates_atomically {
                // The store decides.
                None
            } else {
                let head = self.head(name)?;
                head.map(|head| Object::of(name.clone(), &head))
            };
            requirement.check(current.as_ref().map(|current| &*current.package))?;
            if requirement.listed {
                // No lock spans the servers on a bucket: racing publishers may both get a version.
                let others = self.view.last().changed(std::slice::from_ref(name), &[], 0);
                requirement.check_listed(name, &upload.content, upload.sha256, &others)?;
            }
            let condition = match &current {
                None if self.creates_atomically => Condition::IsNew,
                Some(current) if requirement.precondition.is_some() && self.creates_atomically => {
                    let condition = current.condition();
                    condition.map_or(Condition::None, Condition::Matches)
                }
                _ => Condition::None,
            };
            match self.put(upload, name, modified, &number, condition)? {
                Outcome::Stored(etag) => {
                    let object = self.entered(name, &etag, modified, upload);
                    return Ok((object, current.is_some()));
                }
                Outcome::Taken(head) if !may_replace => {
                    let other = Object::of(name.clone(), &head);
                    requirement.check(Some(&other.package))?;
                }
                // Created, replaced or deleted by another server meanwhile.
                Outcome::Taken(head) => {
                    is_own_refused = current.is_some_and(|current| *current.etag == *head.etag);
                }
                Outcome::Free => is_own_refused = false,
            }
        }
        Err(if is_own_refused {
            faults::no_conditions(name.as_str())
        } else {
            faults::contended(name.as_str())
        })
    }

    fn put(
        &self,
        upload: &CompleteUpload,
        name: &PackageName,
        modified: SystemTime,
        number: &str,
        condition: Condition<'_>,
    ) -> Result<Outcome> {
        let sha256 = upload.sha256.hex();
        let modified = object::nanoseconds(modified);
        let metadata = [
            (object::SHA256, sha256.as_str()),
            (object::MODIFIED, modified.as_str()),
            (object::UPLOAD, number),
        ];
        let put = Put {
            content: Content::File {
                file: &upload.temporary.file,
                size: upload.size,
                sha256: upload.sha256,
            },
            condition,
            metadata: &metadata,
        };
        let error = match self.bucket.put(name.as_str(), &put) {
            Ok(etag) => return Ok(Outcome::Stored(etag.into())),
            Err(error) => error,
        };
        let is_condition = error.kind == S3ErrorKind::PreconditionFailed;
        if !is_condition && !faults::may_have_arrived(&error) {
            return Err(faults::of("store the package", name.as_str(), &error));
        }
        match self.head(name)? {
            Some(head) if head.metadata(object::UPLOAD) == Some(number) => {
                Ok(Outcome::Stored(head.etag.as_str().into()))
            }
            // A create that was not answered has failed where another object has the name.
            Some(head)
                if is_condition
                    || error.kind == S3ErrorKind::Conflict
                    || matches!(condition, Condition::IsNew) =>
            {
                Ok(Outcome::Taken(head))
            }
            None if is_condition => Ok(Outcome::Free),
            _ => Err(faults::of("store the package", name.as_str(), &error)),
        }
    }

    /// Enters the stored package into the listing.
    fn entered(
        &self,
        name: &PackageName,
        etag: &Arc<str>,
        modified: SystemTime,
        upload: &CompleteUpload,
    ) -> Object {
        let object = Object {
            etag: Arc::clone(etag),
            last_modified: None,
            package: Arc::new(Package {
                name: name.clone(),
                state: object::state(etag, upload.size, modified),
                sha256: Some(upload.sha256),
                content: upload.content.clone(),
            }),
        };
        self.view.enter(vec![(name.clone(), Some(object.clone()))]);
        object
    }

    fn head(&self, name: &PackageName) -> Result<Option<Head>> {
        match self.bucket.head(name.as_str()) {
            Ok(head) => Ok(Some(head)),
            Err(error) if error.kind == S3ErrorKind::NotFound => Ok(None),
            Err(error) => Err(faults::of("look at the package", name.as_str(), &error)),
        }
    }

    /// The time of a package that is published now: after every listed one, so that the order is
    /// that of the publishes also where servers' clocks differ a little.
    fn next_time(&self) -> SystemTime {
        let now = clock::wall_now();
        let newest = self
            .view
            .last()
            .packages()
            .first()
            .map(|it| it.state.modified);
        match newest.map(|newest| newest + Duration::from_nanos(1)) {
            Some(next) if next > now && next < now + CLOCK_DIFFERENCE_MAX => next,
            _ => now,
        }
    }

    /// Keeps the published file for downloads.
    fn cache_upload(&self, mut upload: CompleteUpload) {
        let kept = self
            .cache
            .keep(upload.sha256, upload.size, &mut upload.temporary);
        if let Err(error) = kept {
            log::warn!(error:% = error; "a published package was not cached");
        }
    }

    pub fn delete(self: &Arc<Self>, delete: Delete) {
        let ticket = match self.admission.admit(0) {
            Ok(ticket) => ticket,
            Err(error) => return (delete.done)(Err(error)),
        };
        let changes = Arc::clone(self);
        self.transfers.push(Box::new(move || {
            let Delete {
                name,
                precondition,
                done,
            } = delete;
            let busy = changes.names.take(&name);
            let removed = changes.remove(&name, precondition.as_ref());
            drop(busy);
            match removed {
                Ok(()) => changes.view.finish(Finishing {
                    published: None,
                    answer: Box::new(move |_| {
                        drop(ticket);
                        done(Ok(()));
                    }),
                }),
                Err(error) => {
                    drop(ticket);
                    guarded(|| done(Err(error)));
                }
            }
        }));
    }

    fn remove(
        &self,
        name: &PackageName,
        precondition: Option<&change::Precondition>,
    ) -> Result<()> {
        for _ in 0..PUT_ATTEMPTS_MAX {
            let Some(head) = self.head(name)? else {
                self.view.enter(vec![(name.clone(), None)]);
                return Err(StorageError::NotFound);
            };
            let current = Object::of(name.clone(), &head);
            change::check(precondition, Some(&current.package))?;
            match self.bucket.delete(name.as_str(), current.condition()) {
                Ok(()) => {
                    self.view.enter(vec![(name.clone(), None)]);
                    return Ok(());
                }
                // Replaced by another server meanwhile.
                Err(error) if error.kind == S3ErrorKind::PreconditionFailed => {}
                Err(error) => return Err(faults::of_delete(name.as_str(), &error)),
            }
        }
        Err(faults::contended(name.as_str()))
    }
}
