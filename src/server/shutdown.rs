//! Shutting down: `/readyz` turns 503, then accepting stops, then running requests finish.
//!
//! Invariants: a running request has `shutdown_grace` to finish, and the process never waits
//! longer; a second signal ends the process at once.
//!
//! Sources: docs/contract.md, section 7, last paragraph; signal(7).

use super::handle::Server;
use super::shared::DRAINED;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One stream of events to wait for: SIGTERM, SIGINT, SIGHUP, and the report of the last connection's end.
#[derive(Debug)]
pub struct Signals {
    events: UnixStream,
    sender: UnixStream,
    /// A signal to end was received. Events of signals are alike: one without this is SIGHUP's.
    is_ending: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every request was answered, or its grace was over.
    Orderly,
    /// A second signal arrived.
    Forced,
}

impl Signals {
    /// From now on the signals are noted here and no longer end the process.
    pub fn register() -> io::Result<Self> {
        let (events, sender) = UnixStream::pair()?;
        let is_ending = Arc::new(AtomicBool::new(false));
        // The flag is set before the event is sent.
        for signal in [SIGTERM, SIGINT] {
            flag::register(signal, Arc::clone(&is_ending))?;
        }
        for signal in [SIGHUP, SIGTERM, SIGINT] {
            pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self {
            events,
            sender,
            is_ending,
        })
    }

    /// Waits for the next event, at most for `timeout`. SIGHUP is passed to `reread`, and the wait
    /// goes on.
    fn wait(&self, timeout: Option<Duration>, reread: &dyn Fn()) -> io::Result<Option<u8>> {
        // Zero is not accepted as a timeout.
        let timeout = timeout.map(|timeout| timeout.max(Duration::from_millis(1)));
        self.events.set_read_timeout(timeout)?;
        let mut event = [0];
        loop {
            match (&self.events).read_exact(&mut event) {
                Ok(()) if event[0] == DRAINED => return Ok(Some(DRAINED)),
                Ok(()) if self.is_ending.swap(false, Ordering::Relaxed) => {
                    return Ok(Some(event[0]));
                }
                Ok(()) => reread(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Waits for a signal, then shuts the server down. `announce` turns `/readyz` to 503; `reread` is
/// called at each SIGHUP.
pub fn serve_until_signal(
    server: &Server,
    signals: &Signals,
    reread: impl Fn(),
    announce: impl FnOnce(),
    delay: Duration,
    grace: Duration,
) -> io::Result<Ending> {
    signals.wait(None, &reread)?;
    announce();
    log::info!(
        delay_s = delay.as_secs(), grace_s = grace.as_secs(), connections = server.connections();
        "shutting down"
    );
    if !delay.is_zero() && signals.wait(Some(delay), &reread)?.is_some() {
        return Ok(Ending::Forced);
    }
    server.drain(signals.sender.try_clone()?);
    match signals.wait(Some(grace), &reread)? {
        Some(DRAINED) => log::info!("every connection is closed"),
        Some(_) => return Ok(Ending::Forced),
        None => log::warn!(connections = server.connections(); "the shutdown grace is over"),
    }
    Ok(Ending::Orderly)
}
