//! The two clocks of the process: a steady one for deadlines, the wall clock for what people and clients read.
//!
//! Invariant: no other module asks the system for the time (`clippy.toml` forbids it), so that a test can move the
//! steady clock by hand and watch deadlines pass without waiting for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The steady clock. Cheap to clone; all clones of a manual clock move together.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<Instant>>),
}

impl Clock {
    /// The system's monotonic clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`] moves it. For tests.
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(monotonic_now()))))
    }

    /// The present moment.
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => monotonic_now(),
            Source::Manual(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward; the system's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            *now.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the steady clock"
)]
fn monotonic_now() -> Instant {
    Instant::now()
}

/// The wall clock: for dates in answers, in logs and on files. It may jump.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the wall clock"
)]
pub fn wall_now() -> SystemTime {
    SystemTime::now()
}
