//! What this server knows of the bucket: its packages, as of the last time they were listed, and
//! the changes that this server has made since.
//!
//! Invariants:
//! - A listing is at most [`LISTING_CHECK_INTERVAL`] older than its request, while the store
//!   answers: an older one is checked first, and the request waits parked. While the store does not
//!   answer, the last listing is used.
//! - A change of this server is in the listing before its answer. A listing of the bucket that
//!   began before the change does not undo it.
//! - No lock is held across a request to the store.

use super::agenda::{Agenda, Next, Work};
use super::finishing::Finishing;
use super::object::Object;
use crate::awaited::Awaited;
use crate::clock::Clock;
use crate::limits::bucket::{
    LISTING_CHECK_INTERVAL, LISTING_CHECK_WAIT_MAX, STORE_LISTING_AGE_MAX,
};
use crate::storage::error::{Result, StorageError};
use crate::storage::listing::Listing;
use crate::storage::name::PackageName;
use crate::storage::package::Package;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::thread::Thread;
use std::time::{Duration, Instant};

pub struct View {
    clock: Clock,
    state: Mutex<State>,
    /// For the refresh thread: there is work.
    work: Condvar,
    /// Finds out what listed packages are.
    upkeep: OnceLock<Thread>,
}

struct State {
    objects: Arc<HashMap<PackageName, Object>>,
    listing: Arc<Listing>,
    /// Counts the changes that this server has made.
    changes: u64,
    /// The changes since the last listing of the bucket began; `None` for a removed package.
    recent: Vec<(u64, PackageName, Option<Object>)>,
    agenda: Agenda,
    /// Why the last check failed.
    failure: Option<StorageError>,
    /// The store does not accept the credentials.
    is_refused: bool,
    waiting: Vec<Waker>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View")
    }
}

impl View {
    pub fn new(clock: Clock) -> Self {
        let now = clock.now();
        Self {
            clock,
            state: Mutex::new(State {
                objects: Arc::default(),
                listing: Arc::default(),
                changes: 0,
                recent: Vec::new(),
                agenda: Agenda::new(now),
                failure: None,
                is_refused: false,
                waiting: Vec::new(),
            }),
            work: Condvar::new(),
            upkeep: OnceLock::new(),
        }
    }

    /// Sets the thread to wake when packages are listed that it has not seen.
    pub fn is_kept_up_by(&self, thread: Thread) {
        let _ = self.upkeep.set(thread);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The listing, current within [`LISTING_CHECK_INTERVAL`] where the store answers.
    pub fn listing(self: &Arc<Self>) -> Result<Arc<Listing>> {
        let now = self.clock.now();
        let mut state = self.state();
        state.agenda.asked_at = now;
        if !state.is_late(now) {
            return Ok(Arc::clone(&state.listing));
        }
        if state.agenda.listed_at.is_none()
            && let Some(failure) = &state.failure
        {
            return Err(failure.clone());
        }
        let since = *state.agenda.wanted_since.get_or_insert(now);
        if state.agenda.listed_at.is_some() && now.duration_since(since) >= LISTING_CHECK_WAIT_MAX {
            return Ok(Arc::clone(&state.listing));
        }
        self.work.notify_one();
        Err(self.pending())
    }

    fn pending(self: &Arc<Self>) -> StorageError {
        StorageError::Pending(Arc::clone(self) as Arc<dyn Awaited>)
    }

    /// The listing as it is known, without waiting for a check.
    pub fn last(&self) -> Arc<Listing> {
        Arc::clone(&self.state().listing)
    }

    pub fn object(&self, name: &PackageName) -> Option<Object> {
        self.state().objects.get(name).cloned()
    }

    /// Why packages cannot be listed or published, if so.
    pub fn check_ready(self: &Arc<Self>) -> Result<()> {
        let state = self.state();
        let age = state.agenda.age(self.clock.now());
        let is_old = age.is_none_or(|age| age > STORE_LISTING_AGE_MAX);
        match &state.failure {
            Some(failure) if state.is_refused || is_old => Err(failure.clone()),
            None if age.is_none() => Err(self.pending()),
            _ => Ok(()),
        }
    }

    /// Whether the store did not answer the last check.
    pub fn is_failing(&self) -> bool {
        self.state().failure.is_some()
    }

    /// How long ago the listing was known to be current; `None` before the first one.
    pub fn age(&self) -> Option<Duration> {
        self.state().agenda.age(self.clock.now())
    }

    /// Makes the refresh thread list the bucket: it is not as listed.
    pub fn doubt(&self) {
        self.state().agenda.is_doubted = true;
        self.work.notify_one();
    }

    /// Hands a change over that is made, and is to be answered when it is finished.
    pub fn finish(&self, finishing: Finishing) {
        self.state().agenda.finishing.push(finishing);
        self.work.notify_one();
    }

    /// Notes that other servers are to be notified of a change.
    pub fn owe_beacon(&self) {
        self.state().agenda.owes_beacon = true;
    }

    /// Notes that other servers were notified of all changes so far.
    pub fn beacon_written(&self) {
        self.state().agenda.owes_beacon = false;
    }

    /// Ends the refresh thread.
    pub fn end(&self) {
        self.state().agenda.is_ended = true;
        self.work.notify_one();
    }

    /// Enters changes that this server has made.
    pub fn enter(&self, changes: Vec<(PackageName, Option<Object>)>) {
        let mut state = self.state();
        let mut objects = std::mem::take(&mut state.objects);
        let known = Arc::make_mut(&mut objects);
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for (name, object) in changes {
            state.changes += 1;
            if let Some(object) = &object {
                added.push(Arc::clone(&object.package));
                known.insert(name.clone(), object.clone());
            } else {
                known.remove(&name);
                removed.push(name.clone());
            }
            let number = state.changes;
            state.recent.push((number, name, object));
        }
        state.objects = objects;
        state.change_listing(&removed, &added);
    }

    /// Enters what one object of the bucket was found to be, unless it is listed otherwise than
    /// `before` by now.
    pub fn enter_found(&self, before: Option<&Object>, name: &PackageName, found: Option<Object>) {
        let state = |object: &Object| object.package.state;
        if self.object(name).as_ref().map(state) == before.map(state) {
            self.enter(vec![(name.clone(), found)]);
        }
    }

    /// The number of changes so far, and what is known: to be read before the bucket is listed.
    pub fn begin(&self) -> (u64, Arc<HashMap<PackageName, Object>>) {
        let state = self.state();
        (state.changes, Arc::clone(&state.objects))
    }

    /// Takes over what the bucket has. `since`: the number of changes before it was listed, which
    /// began at this time: what changed in the bucket after that may be missing.
    pub fn take_over(&self, since: u64, at: Instant, mut listed: HashMap<PackageName, Object>) {
        let mut state = self.state();
        state.recent.retain(|(number, ..)| *number > since);
        for (_, name, object) in &state.recent {
            match object {
                Some(object) => listed.insert(name.clone(), object.clone()),
                None => listed.remove(name),
            };
        }
        let before = Arc::clone(&state.objects);
        let gone = without(&before, &listed);
        let removed: Vec<PackageName> = gone.map(|package| package.name.clone()).collect();
        let added: Vec<Arc<Package>> = without(&listed, &before).map(Arc::clone).collect();
        state.objects = Arc::new(listed);
        state.change_listing(&removed, &added);
        state.agenda.listed_at = Some(at);
        state.agenda.is_doubted = false;
        let waiting = state.checked(at);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        if let Some(thread) = self.upkeep.get().filter(|_| !added.is_empty()) {
            thread.unpark();
        }
    }

    /// Notes that the listing was found to be current, as of this time.
    pub fn confirm(&self, at: Instant) {
        let waiting = self.state().checked(at);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Notes that the store did not answer; `is_refused`: because of the credentials.
    pub fn fail(&self, failure: StorageError, is_refused: bool) {
        let mut state = self.state();
        if state.failure.is_none() {
            log::error!(error:% = failure; "the bucket cannot be listed");
        }
        state.failure = Some(failure);
        state.is_refused = is_refused;
        state.agenda.wanted_since = None;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Enters checksums and contents that were found out later, except those of packages that have
    /// changed since.
    pub fn add_findings(&self, found: &[Package]) {
        let mut state = self.state();
        let mut objects = std::mem::take(&mut state.objects);
        let known = Arc::make_mut(&mut objects);
        let mut added = Vec::new();
        for found in found {
            if let Some(object) = known.get_mut(&found.name)
                && object.package.state == found.state
            {
                object.package = Arc::new(found.or(&object.package));
                added.push(Arc::clone(&object.package));
                let package = &object.package;
                for (_, name, recent) in &mut state.recent {
                    if let Some(recent) = recent.as_mut().filter(|_| *name == found.name) {
                        recent.package = Arc::clone(package);
                    }
                }
            }
        }
        state.objects = objects;
        state.change_listing(&[], &added);
    }

    /// Waits until there is work for the refresh thread. `beacon_at`: the earliest time for
    /// notifying other servers; `retry_at`: for asking a store that did not answer.
    pub fn next_work(&self, beacon_at: Instant, retry_at: Instant) -> Work {
        let mut state = self.state();
        loop {
            let now = self.clock.now();
            match state.agenda.next(now, beacon_at, retry_at) {
                Next::Now(work) => return work,
                Next::At(at) => {
                    let waited = self.work.wait_timeout(state, at.duration_since(now));
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

/// The packages of `objects` that are not in `others` too, as the very same ones.
fn without<'o>(
    objects: &'o HashMap<PackageName, Object>,
    others: &HashMap<PackageName, Object>,
) -> impl Iterator<Item = &'o Arc<Package>> {
    let packages = objects.values().map(|object| &object.package);
    packages.filter(|package| {
        let other = others.get(&package.name);
        !other.is_some_and(|other| Arc::ptr_eq(&other.package, package))
    })
}

impl State {
    /// Whether a request has to wait for a check. A store that does not answer is not waited for.
    fn is_late(&self, now: Instant) -> bool {
        match self.agenda.age(now) {
            None => true,
            Some(age) => age >= LISTING_CHECK_INTERVAL * 3 / 2 && self.failure.is_none(),
        }
    }

    fn change_listing(&mut self, removed: &[PackageName], added: &[Arc<Package>]) {
        if !removed.is_empty() || !added.is_empty() {
            let listing = &self.listing;
            self.listing = Arc::new(listing.changed(removed, added, listing.version + 1));
        }
    }

    /// Notes that the listing is current as of this time; returns who waits for that.
    fn checked(&mut self, at: Instant) -> Vec<Waker> {
        if self.failure.take().is_some() {
            log::info!("the bucket can be listed again");
        }
        self.is_refused = false;
        self.agenda.checked_at = Some(at);
        self.agenda.wanted_since = None;
        std::mem::take(&mut self.waiting)
    }
}

impl Awaited for View {
    fn wake(&self, waker: Waker) {
        let mut state = self.state();
        if state.is_late(self.clock.now()) && state.agenda.wanted_since.is_some() {
            state.waiting.push(waker);
        } else {
            drop(state);
            waker.wake();
        }
    }
}
