//! A few threads that wait for the store, so that no worker does.
//!
//! Invariant: a job that panics is logged, and its thread goes on.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub type Job = Box<dyn FnOnce() + Send>;

/// Threads and the jobs that wait for them; the threads end when this is dropped.
pub struct Jobs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_ended: bool,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jobs")
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let is_idle = |queue: &mut Queue| queue.jobs.is_empty() && !queue.is_ended;
            let waited = self.changed.wait_while(self.queue(), is_idle);
            let job = waited
                .unwrap_or_else(PoisonError::into_inner)
                .jobs
                .pop_front();
            match job {
                None => return,
                Some(job) => guarded(job),
            }
        }
    }
}

/// Runs what must not end its thread by a panic.
pub fn guarded(run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        log::error!("a task of the bucket's threads failed");
    }
}

impl Jobs {
    pub fn start(name: &str, threads: usize) -> std::io::Result<Self> {
        let jobs = Self(Arc::default());
        for number in 0..threads {
            let shared = Arc::clone(&jobs.0);
            std::thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || shared.run())?;
        }
        Ok(jobs)
    }

    pub fn push(&self, job: Job) {
        self.0.queue().jobs.push_back(job);
        self.0.changed.notify_one();
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.is_ended = true;
        queue.jobs.clear();
        self.0.changed.notify_all();
    }
}
