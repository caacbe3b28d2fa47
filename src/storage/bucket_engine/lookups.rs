//! Names that are asked for and not listed: the store is asked before the answer is 404.
//!
//! Invariants: one request to the store for a name at a time, however many ask; what it found
//! counts for [`LOOKUP_KEPT_TIME`], so that those who wait for it get it; the number of requests
//! that wait is bounded.

use super::faults;
use super::jobs::Jobs;
use super::object::Object;
use super::view::View;
use crate::awaited::Awaited;
use crate::clock::Clock;
use crate::limits::bucket::{LOOKUP_KEPT_TIME, LOOKUPS_MAX};
use crate::s3::{Bucket, S3ErrorKind};
use crate::storage::error::StorageError;
use crate::storage::name::PackageName;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

#[derive(Debug)]
pub struct Lookups {
    pub bucket: Arc<Bucket>,
    pub view: Arc<View>,
    pub clock: Clock,
    pub jobs: Jobs,
    pub names: Mutex<HashMap<PackageName, Lookup>>,
}

#[derive(Debug)]
pub enum Lookup {
    Running(Vec<Waker>),
    /// There is no such object, or the store does not say.
    Ended(StorageError, Instant),
}

#[derive(Debug)]
struct Wait {
    lookups: Arc<Lookups>,
    name: PackageName,
}

impl Awaited for Wait {
    fn wake(&self, waker: Waker) {
        let mut names = self.lookups.names();
        if let Some(Lookup::Running(waiting)) = names.get_mut(&self.name) {
            waiting.push(waker);
        } else {
            drop(names);
            waker.wake();
        }
    }
}

impl Lookups {
    fn names(&self) -> MutexGuard<'_, HashMap<PackageName, Lookup>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the package with this name cannot be opened: it is being looked up, or does not exist.
    pub fn outcome(self: &Arc<Self>, name: &PackageName) -> StorageError {
        let now = self.clock.now();
        let mut names = self.names();
        names.retain(|_, lookup| match lookup {
            Lookup::Running(_) => true,
            Lookup::Ended(_, at) => now.duration_since(*at) < LOOKUP_KEPT_TIME,
        });
        match names.get(name) {
            Some(Lookup::Ended(error, _)) => return error.clone(),
            Some(Lookup::Running(_)) => {}
            None if names.len() >= LOOKUPS_MAX => return StorageError::QueueFull,
            None => {
                names.insert(name.clone(), Lookup::Running(Vec::new()));
                let (lookups, name) = (Arc::clone(self), name.clone());
                self.jobs.push(Box::new(move || lookups.look_up(&name)));
            }
        }
        drop(names);
        let (lookups, name) = (Arc::clone(self), name.clone());
        StorageError::Pending(Arc::new(Wait { lookups, name }))
    }

    fn look_up(&self, name: &PackageName) {
        let ended = match self.bucket.head(name.as_str()) {
            Ok(head) => {
                let object = Object::of(name.clone(), &head);
                self.view.enter(vec![(name.clone(), Some(object))]);
                None
            }
            Err(error) if error.kind == S3ErrorKind::NotFound => Some(StorageError::NotFound),
            Err(error) => Some(faults::of("look up the package", name.as_str(), &error)),
        };
        let now = self.clock.now();
        let mut names = self.names();
        let lookup = names.remove(name);
        if let Some(error) = ended {
            names.insert(name.clone(), Lookup::Ended(error, now));
        }
        drop(names);
        if let Some(Lookup::Running(waiting)) = lookup {
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}
