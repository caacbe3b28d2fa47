//! The end of the process: first nobody is sent here any more, then nobody is let in, then whoever is in finishes.
//!
//! Invariants: a running request has `shutdown_grace` to finish, and nothing makes the process wait longer; a second
//! signal ends it at once.
//!
//! Source: the project's contract, section 7, last paragraph; signal(7).

use super::{DRAINED, Server};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// SIGTERM and SIGINT, and the word that the last connection is gone: one stream of bytes to wait for.
#[derive(Debug)]
pub struct Signals {
    events: UnixStream,
    sender: UnixStream,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every request was answered, or had its time.
    Orderly,
    /// A second signal came.
    Forced,
}

impl Signals {
    /// From now on the signals are noted here instead of ending the process.
    pub fn register() -> io::Result<Self> {
        let (events, sender) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self { events, sender })
    }

    /// Waits for the next event, for at most this long.
    fn wait(&self, timeout: Option<Duration>) -> io::Result<Option<u8>> {
        // A timeout of zero would mean none.
        let timeout = timeout.map(|timeout| timeout.max(Duration::from_millis(1)));
        self.events.set_read_timeout(timeout)?;
        let mut event = [0];
        loop {
            match (&self.events).read_exact(&mut event) {
                Ok(()) => return Ok(Some(event[0])),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Waits for a signal, then ends the server's work. `announce` makes `/readyz` say no.
pub fn serve_until_signal(
    server: &Server,
    signals: &Signals,
    announce: impl FnOnce(),
    delay: Duration,
    grace: Duration,
) -> io::Result<Ending> {
    signals.wait(None)?;
    announce();
    log::info!(
        delay_s = delay.as_secs(), grace_s = grace.as_secs(), connections = server.connections();
        "shutting down"
    );
    if !delay.is_zero() && signals.wait(Some(delay))?.is_some() {
        return Ok(Ending::Forced);
    }
    server.drain(signals.sender.try_clone()?);
    match signals.wait(Some(grace))? {
        Some(DRAINED) => log::info!("every connection is closed"),
        Some(_) => return Ok(Ending::Forced),
        None => log::warn!(connections = server.connections(); "the grace is over"),
    }
    Ok(Ending::Orderly)
}
