//! What the refresh thread is to do, and when.
//!
//! Invariant: a store that does not answer is asked again after a pause, whoever waits.

use super::finishing::Finishing;
use crate::limits::bucket::{LISTING_CHECK_INTERVAL, LISTING_OLD_AGE};
use std::time::{Duration, Instant};

/// What the refresh thread is to do.
pub enum Work {
    /// Answer these changes; list the bucket before where one of them asks for it.
    Finish(Vec<Finishing>),
    /// Notify other servers.
    Beacon,
    /// List the bucket only where another server has changed it.
    Check,
    List,
    End,
}

/// What is to do now, or the time until which there is nothing.
pub enum Next {
    Now(Work),
    At(Instant),
}

/// What decides about the refresh thread's work.
pub struct Agenda {
    /// When a request last asked for the listing.
    pub asked_at: Instant,
    /// When the listing was last known to be current.
    pub checked_at: Option<Instant>,
    /// When somebody began to wait for a check.
    pub wanted_since: Option<Instant>,
    /// When the bucket was last listed.
    pub listed_at: Option<Instant>,
    /// Objects were found that the listing does not have, or the other way round.
    pub is_doubted: bool,
    pub finishing: Vec<Finishing>,
    /// Other servers have not been notified of a change.
    pub owes_beacon: bool,
    pub is_ended: bool,
}

impl Agenda {
    pub fn new(now: Instant) -> Self {
        Self {
            asked_at: now,
            checked_at: None,
            wanted_since: None,
            listed_at: None,
            is_doubted: false,
            finishing: Vec::new(),
            owes_beacon: false,
            is_ended: false,
        }
    }

    /// How long ago the listing was known to be current; `None` before the first one.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        self.listed_at?;
        self.checked_at.map(|at| now.duration_since(at))
    }

    /// `beacon_at`: the earliest time for notifying other servers; `retry_at`: for asking a store
    /// that did not answer.
    pub fn next(&mut self, now: Instant, beacon_at: Instant, retry_at: Instant) -> Next {
        if self.is_ended {
            return Next::Now(Work::End);
        }
        if !self.finishing.is_empty() {
            return Next::Now(Work::Finish(std::mem::take(&mut self.finishing)));
        }
        let list_at = match self.listed_at {
            Some(listed_at) if !self.is_doubted => retry_at.max(listed_at + LISTING_OLD_AGE),
            _ => retry_at,
        };
        let check_at = retry_at.max(self.check_at(now));
        let beacon_at = self.owes_beacon.then_some(beacon_at.max(retry_at));
        if list_at <= now {
            return Next::Now(Work::List);
        }
        if beacon_at.is_some_and(|at| at <= now) {
            self.owes_beacon = false;
            return Next::Now(Work::Beacon);
        }
        if check_at <= now {
            return Next::Now(Work::Check);
        }
        let at = list_at.min(check_at);
        Next::At(beacon_at.map_or(at, |beacon_at| at.min(beacon_at)))
    }

    /// When the listing is to be checked next: soon while requests ask for it.
    fn check_at(&self, now: Instant) -> Instant {
        if self.wanted_since.is_some() {
            return now;
        }
        let is_asked = now.duration_since(self.asked_at) < LISTING_CHECK_INTERVAL * 2;
        let interval = if is_asked {
            LISTING_CHECK_INTERVAL
        } else {
            LISTING_OLD_AGE
        };
        self.checked_at.unwrap_or(now) + interval
    }
}
