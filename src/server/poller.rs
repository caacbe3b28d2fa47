//! The kernel's readiness queue: epoll, shared by all workers.
//!
//! Invariants: a socket that is watched for bytes to read is reported once for each arrival, and a
//! listener or a socket that is watched for room once until it is armed again; the wake-up is
//! reported to every worker until it is cleared.
//!
//! Source: epoll(7), "Level-triggered and edge-triggered".

use crate::limits::EVENTS_PER_WAIT_MAX;
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
    /// Bytes to read, or the end of the stream: each arrival is one event, and the state at the
    /// time of arming is one.
    Read,
    /// Room to write, once.
    Write,
    /// A connection to accept, once.
    Accept,
}

impl From<Interest> for EventFlags {
    fn from(interest: Interest) -> Self {
        match interest {
            Interest::Read => Self::IN | Self::RDHUP | Self::ET,
            Interest::Write => Self::OUT | Self::ONESHOT,
            Interest::Accept => Self::IN | Self::ONESHOT,
        }
    }
}

/// What a wait returned.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    pub token: u64,
    /// The client has ended its sending side, or the connection is broken.
    pub is_ended: bool,
}

impl From<&Event> for Ready {
    fn from(event: &Event) -> Self {
        let Event { flags, data } = *event;
        Self {
            token: data.u64(),
            is_ended: flags.intersects(ENDED),
        }
    }
}

/// Flags after which a read finds the end of the stream behind the bytes that have arrived.
const ENDED: EventFlags = EventFlags::RDHUP
    .union(EventFlags::HUP)
    .union(EventFlags::ERR);

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

    /// Waits for at least one event, at most for `timeout`.
    pub fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        ready.clear();
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut events = [MaybeUninit::<Event>::uninit(); EVENTS_PER_WAIT_MAX];
        match epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            Ok((events, _)) => ready.extend(events.iter().map(Ready::from)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
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
