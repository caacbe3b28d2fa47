//! The kernel's readiness queue: epoll, one-shot, shared by all workers.
//!
//! Invariants: a registered socket is reported to one worker and then to no other until it is
//! armed again, so a connection has one holder; a wait returns one event, so that no ready
//! connection queues after a worker that waits for the disk; the wake-up is reported to every
//! worker until it is cleared.
//!
//! Source: epoll(7).

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// The event that a socket is armed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to read, or the end of the stream.
    Read,
    /// Room to write.
    Write,
}

impl From<Interest> for EventFlags {
    fn from(interest: Interest) -> Self {
        let direction = match interest {
            Interest::Read => Self::IN | Self::RDHUP,
            Interest::Write => Self::OUT,
        };
        direction | Self::ONESHOT
    }
}

/// The token of the wake-up; connections and the listener have others.
pub const WAKE: u64 = u64::MAX;

#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    wake: OwnedFd,
}

impl Poller {
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &wake, EventData::new_u64(WAKE), EventFlags::IN)?;
        Ok(Self { epoll, wake })
    }

    /// Registers a socket and arms it.
    pub fn add(&self, socket: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        let data = EventData::new_u64(token);
        Ok(epoll::add(&self.epoll, socket, data, interest.into())?)
    }

    /// Registers a descriptor of which each write is one event for one worker.
    pub fn add_edge(&self, descriptor: impl AsFd, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::ET;
        Ok(epoll::add(
            &self.epoll,
            descriptor,
            EventData::new_u64(token),
            flags,
        )?)
    }

    /// Arms a registered socket again.
    pub fn arm(&self, socket: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        let data = EventData::new_u64(token);
        Ok(epoll::modify(&self.epoll, socket, data, interest.into())?)
    }

    /// Waits for one event, at most for `timeout`; returns its token.
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<Option<u64>> {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut events = [MaybeUninit::<Event>::uninit()];
        match epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            Ok((events, _)) => Ok(events.first().map(|event| event.data.u64())),
            Err(Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Wakes every worker, until [`Poller::clear_wake`].
    pub fn wake(&self) {
        // Fails only when the counter is full, and then the wake-up is pending anyway.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    pub fn clear_wake(&self) {
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
    }
}
