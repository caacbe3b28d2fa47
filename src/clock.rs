//! The two clocks of the process: a monotonic one for deadlines, the wall clock for dates.
//!
//! Invariant: no other module asks the system for the time (`clippy.toml` forbids it), so that a
//! test can move the monotonic clock by hand and watch deadlines pass without waiting for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The monotonic clock. Cheap to clone; all clones of a manual clock move together.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Mutex<Instant>>),
}

impl Clock {
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`] moves it. For tests.
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(monotonic_now()))))
    }

    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => monotonic_now(),
            Source::Manual(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward; has no effect on the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            *now.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the monotonic clock"
)]
fn monotonic_now() -> Instant {
    Instant::now()
}

/// The wall clock, which may jump: for dates in answers, in logs and on files.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub fn wall_now() -> SystemTime {
    SystemTime::now()
}
