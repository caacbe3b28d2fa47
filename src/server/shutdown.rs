//! Shutting down: `/readyz` turns 503, then accepting stops, then running requests finish.
//!
//! Invariants: a running request has `shutdown_grace` to finish, and the process never waits
//! longer; a second signal ends the process at once. SIGHUP never ends anything: at any time it
//! makes the process read the files of settings again.
//!
//! Sources: docs/contract.md, section 5 (SIGHUP) and section 7, last paragraph; signal(7).

use super::handle::Server;
use super::shared::DRAINED;
use crate::clock::Clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// One stream of events to wait for: SIGTERM, SIGINT, and the report of the last connection's end.
#[derive(Debug)]
pub struct Signals {
    events: UnixStream,
    sender: UnixStream,
    /// A byte for each SIGHUP.
    hangups: UnixStream,
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
        for signal in [SIGTERM, SIGINT] {
            pipe::register(signal, sender.try_clone()?)?;
        }
        let (hangups, hangup_sender) = UnixStream::pair()?;
        pipe::register(SIGHUP, hangup_sender)?;
        Ok(Self {
            events,
            sender,
            hangups,
        })
    }

    /// Waits for the next event, at most for `timeout`, and calls `reload` for each SIGHUP.
    fn wait(
        &self,
        clock: &Clock,
        timeout: Option<Duration>,
        reload: &dyn Fn(),
    ) -> io::Result<Option<u8>> {
        let end = timeout.map(|timeout| clock.now() + timeout);
        loop {
            let left = end.map(|end| end.saturating_duration_since(clock.now()));
            let left = left.map(Timespec::try_from).transpose();
            let left = left.map_err(io::Error::other)?;
            let mut sources = [&self.events, &self.hangups].map(|s| PollFd::new(s, PollFlags::IN));
            match poll(&mut sources, left.as_ref()) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [_, hangups] = sources;
            let mut byte = [0];
            if hangups.revents().is_empty() {
                (&self.events).read_exact(&mut byte)?;
                return Ok(Some(byte[0]));
            }
            (&self.hangups).read_exact(&mut byte)?;
            reload();
        }
    }
}

/// Waits for a signal, then shuts the server down. `announce` turns `/readyz` to 503; `reload`
/// reads the files of settings again.
pub fn serve_until_signal(
    server: &Server,
    signals: &Signals,
    announce: impl FnOnce(),
    reload: impl Fn(),
    delay: Duration,
    grace: Duration,
) -> io::Result<Ending> {
    let wait = |timeout| signals.wait(server.clock(), timeout, &reload);
    wait(None)?;
    announce();
    log::info!(
        delay_s = delay.as_secs(), grace_s = grace.as_secs(), connections = server.connections();
        "shutting down"
    );
    if !delay.is_zero() && wait(Some(delay))?.is_some() {
        return Ok(Ending::Forced);
    }
    server.drain(signals.sender.try_clone()?);
    match wait(Some(grace))? {
        Some(DRAINED) => log::info!("every connection is closed"),
        Some(_) => return Ok(Ending::Forced),
        None => log::warn!(connections = server.connections(); "the shutdown grace is over"),
    }
    Ok(Ending::Orderly)
}
