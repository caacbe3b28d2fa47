//! Threads that work beside the requests, and end with their owner.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Running threads; they end when this is dropped.
#[derive(Debug, Default)]
pub struct Background {
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts a thread, which ends soon after its flag is set; it is unparked then.
    pub fn spawn(
        &mut self,
        name: &str,
        run: impl FnOnce(&AtomicBool) + Send + 'static,
    ) -> io::Result<()> {
        let is_stopped = Arc::clone(&self.stopped);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&is_stopped))?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // The thread itself has logged its panic, if any.
            let _ = thread.join();
        }
    }
}
