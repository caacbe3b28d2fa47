//! The deadlines of parked connections, in order.
//!
//! Invariant: one deadline for each parked connection, none for any other.

use super::conn_id::ConnId;
use std::collections::BTreeSet;
use std::time::Instant;

#[derive(Debug, Default)]
pub struct Deadlines(BTreeSet<(Instant, ConnId)>);

impl Deadlines {
    pub fn insert(&mut self, deadline: Instant, id: ConnId) {
        self.0.insert((deadline, id));
    }

    pub fn remove(&mut self, deadline: Instant, id: ConnId) {
        self.0.remove(&(deadline, id));
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn first(&self) -> Option<(Instant, ConnId)> {
        self.0.first().copied()
    }
}
