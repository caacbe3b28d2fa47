//! The name of a connection, as the table, the deadlines and the poller use it.

/// Slot and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    pub index: u32,
    pub generation: u32,
}

impl ConnId {
    /// The token of its events in the poller.
    pub fn token(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The connection of an event. Tokens are made by [`ConnId::token`] alone, so both halves fit.
    pub fn from_token(token: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Self {
            index: half(token),
            generation: half(token >> 32),
        }
    }
}
