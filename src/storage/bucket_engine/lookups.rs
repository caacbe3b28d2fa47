//! Names that are asked for and not listed: the store is asked before the answer is 404.
//!
//! Invariants: one request to the store for a name at a time, however many ask; what it found
//! counts for [`LOOKUP_KEPT_TIME`], so that those who wait for it get it; the number of names that
//! are looked up is bounded, and nobody waits for one longer than [`LOOKUP_TIME_MAX`].

use super::faults;
use super::jobs::Jobs;
use super::object::Object;
use super::view::View;
use crate::awaited::Awaited;
use crate::clock::Clock;
use crate::limits::bucket::{LOOKUP_KEPT_TIME, LOOKUP_THREADS, LOOKUP_TIME_MAX, LOOKUPS_MAX};
use crate::s3::{self, Bucket, S3ErrorKind};
use crate::storage::error::StorageError;
use crate::storage::name::PackageName;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

#[derive(Debug)]
pub struct Lookups {
    bucket: Arc<Bucket>,
    view: Arc<View>,
    clock: Clock,
    jobs: Jobs,
    names: Mutex<HashMap<PackageName, Lookup>>,
}

#[derive(Debug)]
enum Lookup {
    /// Since when, and who waits.
    Running(Instant, Vec<Waker>),
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
        if let Some(Lookup::Running(_, waiting)) = names.get_mut(&self.name) {
            waiting.push(waker);
        } else {
            drop(names);
            waker.wake();
        }
    }
}

impl Lookups {
    pub fn start(bucket: Arc<Bucket>, view: Arc<View>, clock: Clock) -> io::Result<Self> {
        Ok(Self {
            bucket,
            view,
            clock,
            jobs: Jobs::start("lookup", LOOKUP_THREADS)?,
            names: Mutex::default(),
        })
    }

    fn names(&self) -> MutexGuard<'_, HashMap<PackageName, Lookup>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the package with this name cannot be opened: it is being looked up, or does not exist.
    pub fn outcome(self: &Arc<Self>, name: &PackageName) -> StorageError {
        let now = self.clock.now();
        let mut names = self.names();
        names.retain(|_, lookup| match lookup {
            Lookup::Running(..) => true,
            Lookup::Ended(_, at) => now.duration_since(*at) < LOOKUP_KEPT_TIME,
        });
        match names.get(name) {
            Some(Lookup::Ended(error, _)) => return error.clone(),
            Some(Lookup::Running(began_at, _)) if is_over(*began_at, now) => return silent(name),
            Some(Lookup::Running(..)) => {}
            None if names.len() >= LOOKUPS_MAX => return StorageError::QueueFull,
            None => {
                names.insert(name.clone(), Lookup::Running(now, Vec::new()));
                let (lookups, name) = (Arc::clone(self), name.clone());
                self.jobs.push(Box::new(move || lookups.look_up(&name)));
            }
        }
        drop(names);
        let (lookups, name) = (Arc::clone(self), name.clone());
        StorageError::Pending(Arc::new(Wait { lookups, name }))
    }

    fn look_up(&self, name: &PackageName) {
        let began_at = match self.names().get(name) {
            Some(Lookup::Running(began_at, _)) => *began_at,
            _ => return,
        };
        let ended = if is_over(began_at, self.clock.now()) {
            // Those who asked have their answer.
            Some(silent(name))
        } else {
            match enter_current(&self.bucket, &self.view, name) {
                Ok(true) => None,
                Ok(false) => Some(StorageError::NotFound),
                Err(error) => Some(faults::of("look up the package", name.as_str(), &error)),
            }
        };
        let now = self.clock.now();
        let mut names = self.names();
        let lookup = names.remove(name);
        if let Some(error) = ended {
            names.insert(name.clone(), Lookup::Ended(error, now));
        }
        drop(names);
        if let Some(Lookup::Running(_, waiting)) = lookup {
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

fn is_over(began_at: Instant, now: Instant) -> bool {
    now.duration_since(began_at) >= LOOKUP_TIME_MAX
}

fn silent(name: &PackageName) -> StorageError {
    faults::silent("look up the package", name.as_str())
}

/// Asks the store for an object and enters it into the view; whether it exists.
pub fn enter_current(bucket: &Bucket, view: &View, name: &PackageName) -> s3::Result<bool> {
    let before = view.object(name);
    let found = match bucket.head(name.as_str()) {
        Ok(head) => Some(Object::of(name.clone(), &head)),
        Err(error) if error.kind == S3ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let exists = found.is_some();
    if exists || before.is_some() {
        view.enter_found(before.as_ref(), name, found);
    }
    Ok(exists)
}
