//! Threads that work beside the requests, and end with their owner.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Running threads; they end when this is dropped.
#[derive(Default)]
pub struct Background {
    is_stopped: Arc<AtomicBool>,
    threads: Vec<Running>,
}

struct Running {
    thread: JoinHandle<()>,
    /// Wakes a thread that waits for something else than to be unparked.
    wake: Box<dyn FnOnce()>,
}

impl std::fmt::Debug for Background {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Background")
    }
}

impl Background {
    /// Starts a thread, which ends soon after its flag is set. It is unparked then, and `wake` is
    /// called for a thread that waits for something else.
    pub fn spawn(
        &mut self,
        name: &str,
        run: impl FnOnce(&AtomicBool) + Send + 'static,
        wake: impl FnOnce() + 'static,
    ) -> io::Result<()> {
        let is_stopped = Arc::clone(&self.is_stopped);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&is_stopped))?;
        let wake = Box::new(wake);
        self.threads.push(Running { thread, wake });
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
        for Running { thread, wake } in self.threads.drain(..) {
            wake();
            thread.thread().unpark();
            // The thread itself has logged its panic, if any.
            let _ = thread.join();
        }
    }
}
