//! What a store really does, which its answers alone do not say.

/// What the probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Of several simultaneous creates of one key exactly one succeeds.
    pub creates_are_atomic: bool,
    /// A delete with another ETag than the object's is refused.
    pub deletes_are_conditional: bool,
}
