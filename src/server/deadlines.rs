//! Deadlines of parked connections, in order.
//!
//! Invariant: one deadline for each parked connection, none for any other.

use super::table::ConnId;
use std::collections::BTreeSet;
use std::time::Instant;

/// An ordered set of moments, each with the connection it is for.
#[derive(Debug, Default)]
pub struct Deadlines(BTreeSet<(Instant, ConnId)>);

impl Deadlines {
    /// Adds a connection's deadline.
    pub fn insert(&mut self, deadline: Instant, id: ConnId) {
        self.0.insert((deadline, id));
    }

    /// Removes a connection's deadline.
    pub fn remove(&mut self, deadline: Instant, id: ConnId) {
        self.0.remove(&(deadline, id));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The earliest one.
    pub fn first(&self) -> Option<(Instant, ConnId)> {
        self.0.first().copied()
    }
}
